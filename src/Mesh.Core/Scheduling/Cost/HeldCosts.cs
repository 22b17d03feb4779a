namespace Mesh.Core.Scheduling.Cost;

/// <summary>What is left of a prompt's work when so many blocks of it are held, kept for one decision at a time.</summary>
internal sealed class HeldCosts
{
    private HeldCost[] _costs = [];
    private long _decision;

    /// <summary>Room for the costs of one decision, by blocks held; what bears another number is of an earlier one.</summary>
    public (HeldCost[] Costs, long Decision) Start(int maxBlocks)
    {
        if (_costs.Length <= maxBlocks) _costs = new HeldCost[maxBlocks + 1];
        return (_costs, ++_decision);
    }
}

/// <summary>A prompt's work where a part of it is held.</summary>
internal struct HeldCost
{
    /// <summary>Decision that it was computed for.</summary>
    public long Decision;

    /// <summary>Time of the rest by the step-time table, in milliseconds.</summary>
    public double TableMs;

    /// <summary>Tokens held.</summary>
    public int CachedTokens;

    /// <summary>Engine steps of the rest.</summary>
    public int Steps;
}
