namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// How an endpoint's times compare with the table's: the median of observed over predicted, followed by sign alone. Each observation
/// moves the estimate by a fixed share towards itself, however far off it is, so that a stall or a wrong prediction cannot throw it; the
/// share falls from 16% to 1% while observations agree to differ, and rises again when they all point one way. Always 1/16–16.
/// </summary>
internal sealed class SpeedEstimate
{
    private const double LargestStep = 0.16;
    private const double SmallestStep = 0.01;
    private double _step = LargestStep;
    private int _run;

    /// <summary>Observed over predicted; 1 before anything is observed.</summary>
    public double Ratio { get; private set; } = 1;

    /// <summary>Observations taken.</summary>
    public long Count { get; private set; }

    /// <summary>Takes one observation of a time that was predicted without this estimate.</summary>
    public void Observe(double observedMs, double tableMs)
    {
        if (!(observedMs > 0 && tableMs > 0)) return;
        Count++;
        var up = observedMs > tableMs * Ratio;
        _run = up == _run > 0 ? _run + (up ? 1 : -1) : up ? 1 : -1;
        // Six in a row one way happen by chance once in 32: then it is the machine that has changed.
        if (Math.Abs(_run) >= 6) _step = Math.Min(LargestStep, _step * 1.5);
        else if (Math.Abs(_run) == 1) _step = Math.Max(SmallestStep, _step * 0.8);
        Ratio = Math.Clamp(up ? Ratio * (1 + _step) : Ratio / (1 + _step), 1.0 / 16, 16);
    }

    /// <summary>Keeps the estimate as the best guess, and lets new observations move it as far as at first.</summary>
    public void LearnAnew()
    {
        _step = LargestStep;
        _run = 0;
    }

    /// <summary>Forgets everything: another machine may stand behind the address.</summary>
    public void Reset()
    {
        Ratio = 1;
        Count = 0;
        _step = LargestStep;
        _run = 0;
    }
}
