namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// How an endpoint's times compare with the table's: the median of observed over predicted, followed by sign alone. Each observation
/// moves the estimate by a fixed share towards itself, however far off it is, so that a stall or a wrong prediction cannot throw it; the
/// share falls from 16% to 1% while observations agree to differ, and rises again when they all point one way. Always 1/16–16.
/// An endpoint that is taken to be slow is asked for little, and nothing would ever show that it is not: after a time without observations
/// the estimate falls towards what the others show (<see cref="Relax"/>), until a request is sent that tells. One that confirms what was
/// learned brings it back at once.
/// </summary>
internal sealed class SpeedEstimate
{
    private const double LargestStep = 0.16;
    private const double SmallestStep = 0.01;
    private double _step = LargestStep;
    private const double RestMs = 5_000;
    private const double HalfLifeMs = 10_000;
    private int _run;
    // What it was before it was relaxed; 0 when it is not.
    private double _learned;
    private double _lastMs;

    /// <summary>Observed over predicted; 1 before anything is observed.</summary>
    public double Ratio { get; private set; } = 1;

    /// <summary>Observations taken.</summary>
    public long Count { get; private set; }

    /// <summary>Takes one observation of a time that was predicted without this estimate.</summary>
    public void Observe(double observedMs, double tableMs, double nowMs)
    {
        if (!(observedMs > 0 && tableMs > 0)) return;
        Count++;
        _lastMs = nowMs;
        if (_learned > 0)
        {
            if (observedMs / tableMs > Math.Sqrt(_learned * Ratio)) Ratio = _learned;
            _learned = 0;
        }
        var up = observedMs > tableMs * Ratio;
        _run = up == _run > 0 ? _run + (up ? 1 : -1) : up ? 1 : -1;
        // Six in a row one way happen by chance once in 32: then it is the machine that has changed.
        if (Math.Abs(_run) >= 6) _step = Math.Min(LargestStep, _step * 1.5);
        else if (Math.Abs(_run) == 1) _step = Math.Max(SmallestStep, _step * 0.8);
        Ratio = Math.Clamp(up ? Ratio * (1 + _step) : Ratio / (1 + _step), 1.0 / 16, 16);
    }

    /// <summary>Takes somebody else's word while nothing has been observed.</summary>
    public void Presume(double ratio)
    {
        if (Count == 0) Ratio = Math.Clamp(ratio, 1.0 / 16, 16);
    }

    /// <summary>Time has passed: without observations for 5 s, an estimate above the others' halves its distance from them every 10 s.</summary>
    /// <param name="others">What the others show.</param>
    /// <param name="nowMs">Now, on the clock of the observations.</param>
    public void Relax(double others, double nowMs)
    {
        if (Ratio <= others || nowMs - _lastMs < RestMs) return;
        if (_learned == 0) _learned = Ratio;
        // The first step takes in the rest, the further ones what has passed since the one before.
        var passed = Math.Min(nowMs - _lastMs - RestMs + 1, HalfLifeMs);
        _lastMs = nowMs - RestMs;
        Ratio = others + (Ratio - others) / (1 + passed / HalfLifeMs);
    }

    /// <summary>Keeps the estimate as the best guess, and lets new observations move it as far as at first.</summary>
    public void LearnAnew()
    {
        _step = LargestStep;
        _run = 0;
        _learned = 0;
    }
}
