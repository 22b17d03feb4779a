namespace Mesh.Core.Scheduling.Cost;

/// <summary>How far predictions of a time are off: counts and sums since the start, from which readers take means.</summary>
internal sealed class PredictionError
{
    /// <summary>Predictions that came to an end.</summary>
    public long Count { get; private set; }

    /// <summary>Sum of what was observed, in milliseconds.</summary>
    public double ObservedMs { get; private set; }

    /// <summary>Sum of |observed − predicted|, in milliseconds.</summary>
    public double AbsoluteErrorMs { get; private set; }

    public void Observe(double predictedMs, double observedMs)
    {
        Count++;
        ObservedMs += observedMs;
        AbsoluteErrorMs += Math.Abs(observedMs - predictedMs);
    }
}
