namespace Mesh.Core.StepTimes;

/// <summary>
/// Measured step times of one accelerator with one model: prefill by tokens, decode by batch and mean context. Between points the time is
/// interpolated on plain axes (piecewise-linear; bilinear for decode); beyond the last point the last segment's slope goes on; below the
/// first point its time stands, because nothing was measured there. Only +, −, × and ÷, so every x64 machine computes the same bits.
/// Immutable and thread-safe; the look-ups allocate nothing.
/// </summary>
public sealed class StepTimeTable
{
    private readonly double[] _prefillTokens;
    private readonly double[] _prefillMs;
    private readonly double[] _batches;
    private readonly double[] _contexts;
    private readonly double[] _decodeMs;
    private readonly double _decodeFloorMs;

    /// <summary>Takes the points of one measurement.</summary>
    /// <param name="name">What was measured, for reports.</param>
    /// <param name="prefillTokens">Tokens of the prefill points, rising, at least two.</param>
    /// <param name="prefillMs">Milliseconds of each prefill point.</param>
    /// <param name="batches">Sequences in the decode batch, rising, at least two.</param>
    /// <param name="contexts">Tokens of context per sequence, rising, at least two.</param>
    /// <param name="decodeMs">Milliseconds, one row per context and one column per batch.</param>
    /// <exception cref="ArgumentException">Axes that do not rise, too few points, or lengths that do not match.</exception>
    public StepTimeTable(string name, double[] prefillTokens, double[] prefillMs, double[] batches, double[] contexts, double[] decodeMs)
    {
        CheckAxis(prefillTokens, nameof(prefillTokens));
        CheckAxis(batches, nameof(batches));
        CheckAxis(contexts, nameof(contexts));
        if (prefillMs.Length != prefillTokens.Length) throw new ArgumentException("One time per prefill point is needed.", nameof(prefillMs));
        if (decodeMs.Length != batches.Length * contexts.Length) throw new ArgumentException("One time per batch and context is needed.", nameof(decodeMs));
        Name = name;
        _prefillTokens = [.. prefillTokens];
        _prefillMs = [.. prefillMs];
        _batches = [.. batches];
        _contexts = [.. contexts];
        _decodeMs = [.. decodeMs];
        _decodeFloorMs = decodeMs[0];
        LargestPrefillDropMs = LargestDrop(_prefillMs);
    }

    /// <summary>Milliseconds by which a longer prompt may take less time than a shorter one at most; infinite where times fall beyond the last point.</summary>
    internal double LargestPrefillDropMs { get; }

    /// <summary>What was measured: device and model.</summary>
    public string Name { get; }

    private static double LargestDrop(double[] ms)
    {
        if (ms[^1] < ms[^2]) return double.PositiveInfinity;
        var (most, drop) = (0.0, 0.0);
        foreach (var time in ms)
        {
            most = Math.Max(most, time);
            drop = Math.Max(drop, most - time);
        }

        return drop;
    }

    /// <summary>Milliseconds to prefill <paramref name="tokens"/> tokens of one prompt from its beginning; 0 for no tokens.</summary>
    public double PrefillMs(double tokens)
    {
        if (tokens <= 0) return 0;
        var i = Segment(_prefillTokens, tokens, out var u);
        return Mix(_prefillMs[i], _prefillMs[i + 1], u);
    }

    /// <summary>
    /// A copy with prefill times up to <paramref name="mostTokens"/>. Attention makes a prompt's time grow with the square of its length, so
    /// beyond the last point the law a·n + b·n² through the last two points goes on, at doubling lengths; a straight line would make a
    /// prompt of 64k tokens a quarter too cheap. The table itself is returned when it reaches that far, or shows no such growth.
    /// </summary>
    /// <param name="mostTokens">Length to reach, in tokens.</param>
    public StepTimeTable WithLongPrompts(double mostTokens)
    {
        var (n1, n2) = (_prefillTokens[^2], _prefillTokens[^1]);
        var (t1, t2) = (_prefillMs[^2], _prefillMs[^1]);
        var square = ((t2 / n2) - (t1 / n1)) / (n2 - n1);
        if (mostTokens <= n2 || square <= 0) return this;
        var linear = (t1 / n1) - (square * n1);
        List<double> tokens = [.. _prefillTokens];
        List<double> times = [.. _prefillMs];
        for (var n = n2; n < mostTokens;)
        {
            // Halfway points keep the chords close to the curve.
            foreach (var at in (ReadOnlySpan<double>)[n * 1.5, n * 2])
            {
                tokens.Add(at);
                times.Add((linear * at) + (square * at * at));
            }

            n *= 2;
        }

        return new StepTimeTable(Name, [.. tokens], [.. times], _batches, _contexts, _decodeMs);
    }

    /// <summary>The table of an accelerator whose prompts and decode steps take so many times as long.</summary>
    /// <param name="name">What it stands for.</param>
    /// <param name="prefillRatio">Prefill times over this table's, above 0.</param>
    /// <param name="decodeRatio">Decode times over this table's, above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A ratio is not a finite number above 0.</exception>
    public StepTimeTable Scaled(string name, double prefillRatio, double decodeRatio)
    {
        CheckRatio(prefillRatio, nameof(prefillRatio));
        CheckRatio(decodeRatio, nameof(decodeRatio));
        return new StepTimeTable(
            name, _prefillTokens, Array.ConvertAll(_prefillMs, ms => ms * prefillRatio), _batches, _contexts, Array.ConvertAll(_decodeMs, ms => ms * decodeRatio));
    }

    /// <summary>Milliseconds of one decode step of <paramref name="batch"/> sequences with <paramref name="meanContext"/> tokens each on average; 0 for an empty batch.</summary>
    public double DecodeMs(double batch, double meanContext)
    {
        if (batch <= 0) return 0;
        var i = Segment(_batches, batch, out var u);
        var j = Segment(_contexts, meanContext, out var v);
        var lower = (j * _batches.Length) + i;
        var upper = lower + _batches.Length;
        return Mix(Mix(_decodeMs[lower], _decodeMs[lower + 1], u), Mix(_decodeMs[upper], _decodeMs[upper + 1], u), v);
    }

    /// <summary>
    /// Milliseconds that a chunk of <paramref name="chunk"/> tokens costs above a fresh prompt of the same length because it attends to
    /// <paramref name="context"/> earlier tokens: max(0, P(context + chunk) − P(context) − P(chunk)).
    /// </summary>
    public double ContextAttentionMs(double chunk, double context)
    {
        if (chunk <= 0 || context <= 0) return 0;
        var extra = PrefillMs(context + chunk) - PrefillMs(context) - PrefillMs(chunk);
        return extra > 0 ? extra : 0;
    }

    /// <summary>
    /// Milliseconds of one engine step. With decodes only: D(batch, context). With prefill chunks of C tokens in all: P(C) + attention to
    /// earlier context + (D(batch, context) − D(smallest)), for the chunk's pass over the weights serves the decodes beside it too.
    /// </summary>
    /// <param name="prefillTokens">Prompt tokens computed in this step, all chunks together.</param>
    /// <param name="attentionMs">Sum of <see cref="ContextAttentionMs"/> over the chunks.</param>
    /// <param name="decodes">Sequences that decode one token in this step.</param>
    /// <param name="decodeContext">Sum of those sequences' context, in tokens.</param>
    public double StepMs(int prefillTokens, double attentionMs, int decodes, long decodeContext)
    {
        var decodeMs = decodes == 0 ? 0 : DecodeMs(decodes, (double)decodeContext / decodes);
        if (prefillTokens == 0) return decodeMs;
        var increment = decodeMs - _decodeFloorMs;
        return PrefillMs(prefillTokens) + attentionMs + (increment > 0 ? increment : 0);
    }

    private static double Mix(double a, double b, double u) => ((1 - u) * a) + (u * b);

    private static int Segment(double[] axis, double x, out double u)
    {
        if (x <= axis[0])
        {
            u = 0;
            return 0;
        }

        var i = 0;
        while (i < axis.Length - 2 && x >= axis[i + 1]) i++;
        u = (x - axis[i]) / (axis[i + 1] - axis[i]);
        return i;
    }

    private static void CheckRatio(double ratio, string name)
    {
        if (!(ratio > 0 && double.IsFinite(ratio))) throw new ArgumentOutOfRangeException(name, ratio, "A ratio is a number above 0.");
    }

    private static void CheckAxis(double[] axis, string name)
    {
        if (axis.Length < 2) throw new ArgumentException("At least two points are needed.", name);
        for (var i = 1; i < axis.Length; i++)
        {
            if (!(axis[i] > axis[i - 1])) throw new ArgumentException("Points must rise.", name);
        }
    }
}
