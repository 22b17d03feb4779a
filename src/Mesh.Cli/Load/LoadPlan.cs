using Mesh.Core.Randomness;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Load;

/// <summary>
/// The requests of a load in order of time. They follow from the options alone: the same seed gives the same requests, whatever the server
/// does. They are made as they are read, so that a long load needs no memory.
/// </summary>
internal sealed class LoadPlan
{
    private readonly LoadOptions _options;
    private readonly ITraceSource? _trace;
    private readonly double _rate;

    /// <summary>Reads the trace, where there is one.</summary>
    /// <exception cref="ArgumentException">The options contradict each other, or the trace has no such part.</exception>
    /// <exception cref="TraceFormatException">A line of the trace cannot be read.</exception>
    /// <exception cref="IOException">The trace cannot be read.</exception>
    public LoadPlan(LoadOptions options)
    {
        _options = options;
        _trace = options.TraceFile is { } file ? Recorded(options, file) : options.Turns > 1 ? Sessions(options) : null;
        var rate = options.Rate ?? (options.TraceFile is null ? null : _trace?.NativeRate);
        _rate = (rate ?? throw new ArgumentException("--rate is missing: requests per second that are to be sent.")) * options.RateScale;
    }

    /// <summary>Mean requests per second.</summary>
    public double Rate => _rate;

    /// <summary>When the last request is due at the latest; null when only their number is known.</summary>
    public TimeSpan? Length => _options.Duration;

    /// <summary>Every request, each time the same.</summary>
    public IEnumerable<PlannedRequest> Requests()
    {
        var number = 0L;
        var endMs = _options.Duration?.TotalMilliseconds ?? double.MaxValue;
        foreach (var request in _trace is null ? MadeUp() : Traced(_trace))
        {
            if (number >= _options.Requests || request.AtMs >= endMs) yield break;
            yield return request with { Number = number++ };
        }
    }

    private IEnumerable<PlannedRequest> Traced(ITraceSource trace)
    {
        foreach (var row in trace.At(_rate)) yield return new PlannedRequest(0, row.ArrivalMs, row.PromptTokens, row.OutputTokens) { Blocks = row.Blocks };
    }

    private IEnumerable<PlannedRequest> MadeUp()
    {
        // Times have a generator of their own: other lengths do not move them.
        var times = new Gaps(_options.Arrivals, 1000 / _rate, _options.Burstiness, _options.Seed);
        var random = new Xoshiro256(_options.Seed ^ 0x6C656E67746873);
        var atMs = 0.0;
        while (true)
        {
            var prompt = _options.PromptTokens.Draw(random);
            var output = _options.OutputTokens.Draw(random);
            var prefix = _options.Prefixes > 0 ? random.NextInt32(_options.Prefixes) : 0;
            var prefixTokens = _options.Prefixes > 0 ? _options.PrefixTokens : 0;
            yield return new PlannedRequest(0, atMs, Math.Max(prompt, prefixTokens + 1), output) { Prefix = prefix, PrefixTokens = prefixTokens };
            atMs += times.NextMs();
        }
    }

    private static RecordedTrace Recorded(LoadOptions options, string file)
    {
        var rows = TraceFile.Read(file, options.Seed, options.Slice.SkipRows, options.Slice.MostRows);
        var firstMs = rows[0].ArrivalMs;
        rows = [.. rows.Where(r => r.ArrivalMs - firstMs >= options.Slice.From.TotalMilliseconds && r.ArrivalMs - firstMs < options.Slice.To.TotalMilliseconds)];
        if (rows.Count == 0) throw new ArgumentException($"{file} has no rows in that slice.");
        return new RecordedTrace(rows);
    }

    private static GeneratedSessions Sessions(LoadOptions options)
    {
        var prefixTokens = options.Prefixes > 0 ? options.PrefixTokens : 0;
        return new GeneratedSessions(new SessionOptions
        {
            Seed = options.Seed,
            Duration = options.Duration is { } duration && duration >= TimeSpan.FromSeconds(1) ? duration : TimeSpan.FromDays(7),
            MostRequests = options.Requests,
            SystemPrompts = Math.Max(1, options.Prefixes),
            SystemPromptTokens = prefixTokens,
            MeanTurns = options.Turns,
            MeanThinkTime = options.ThinkTime,
            MeanInputTokens = options.SessionMeans.Prompt,
            MeanOutputTokens = options.SessionMeans.Output,
            Burstiness = options.Arrivals == ArrivalPattern.Bursty ? 2 : 1,
        });
    }
}
