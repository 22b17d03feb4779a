using Mesh.Core.Randomness;

namespace Mesh.Zmtp;

/// <summary>
/// How long to wait before the next attempt: doubles from the first wait to the longest, each one drawn between half of it and the whole,
/// so that a hundred subscribers of a publisher that restarts do not come back in step. Not thread-safe.
/// </summary>
internal sealed class ReconnectBackoff(TimeSpan first, TimeSpan longest, ulong seed)
{
    private readonly Xoshiro256 _random = new(seed);
    private int _doublings;

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan Next()
    {
        var whole = first * Math.Pow(2, _doublings);
        if (whole < longest) _doublings++;
        else whole = longest;
        return whole * (0.5 + (_random.NextDouble() / 2));
    }

    /// <summary>Begins again after a success.</summary>
    public void Reset() => _doublings = 0;
}
