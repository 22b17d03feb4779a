using System.Collections.Concurrent;
using Mesh.Core.Config;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Telemetry;

namespace Mesh.Gateway.Admin.History;

/// <summary>Times to the first and to each further token by pool and backend. Bounded: backends beyond <see cref="MaxBackends"/> are not told apart. Thread-safe.</summary>
internal sealed class BackendLatencies
{
    /// <summary>Most backends that are told apart.</summary>
    public const int MaxBackends = 1024;

    private readonly ConcurrentDictionary<(string Pool, BackendId Backend), BackendLatency> _all = new();
    private readonly BackendLatency _others = new();
    private readonly Lock _steps = new();

    /// <summary>The latencies of a backend.</summary>
    public BackendLatency Of(string pool, BackendId backend)
    {
        if (_all.TryGetValue((pool, backend), out var known)) return known;
        return _all.Count >= MaxBackends ? _others : _all.GetOrAdd((pool, backend), static _ => new BackendLatency());
    }

    /// <summary>Begins a step of all.</summary>
    public void Step()
    {
        lock (_steps)
        {
            foreach (var (_, latency) in _all) latency.Step();
        }
    }

    /// <summary>Forgets backends that nobody needs any more.</summary>
    public void Keep(IReadOnlySet<(string Pool, BackendId Backend)> wanted)
    {
        foreach (var (key, _) in _all)
        {
            // One that comes back later begins anew; requests that still hold the old one count for nobody.
            if (_all.Count > MaxBackends / 2 && !wanted.Contains(key)) _all.TryRemove(key, out _);
        }
    }

    /// <summary>Time to the first token of a backend over the last steps; null without any.</summary>
    public PercentilesShape? FirstToken(string pool, BackendId backend, int steps) => Percentiles(pool, backend, static l => l.FirstToken, steps);

    /// <summary>Time per output token of a backend over the last steps; null without any.</summary>
    public PercentilesShape? OutputToken(string pool, BackendId backend, int steps) => Percentiles(pool, backend, static l => l.OutputToken, steps);

    /// <summary>Time to the first token of a whole pool over the last steps; null without any.</summary>
    public PercentilesShape? FirstToken(string pool, int steps) => Percentiles(pool, null, static l => l.FirstToken, steps);

    /// <summary>Time per output token of a whole pool over the last steps; null without any.</summary>
    public PercentilesShape? OutputToken(string pool, int steps) => Percentiles(pool, null, static l => l.OutputToken, steps);

    private PercentilesShape? Percentiles(string pool, BackendId? backend, Func<BackendLatency, LatencyCounts> of, int steps)
    {
        Span<long> counts = stackalloc long[LatencyScale.Count];
        counts.Clear();
        lock (_steps)
        {
            if (backend is { } one)
            {
                if (_all.TryGetValue((pool, one), out var latency)) of(latency).Add(steps, counts);
            }
            else
            {
                foreach (var (key, latency) in _all)
                {
                    if (key.Pool == pool) of(latency).Add(steps, counts);
                }
            }
        }

        long total = 0;
        foreach (var count in counts) total += count;
        return total == 0 ? null : new PercentilesShape(total, Of(counts, 0.5), Of(counts, 0.9), Of(counts, 0.95), Of(counts, 0.99));
    }

    private static double Of(ReadOnlySpan<long> counts, double share) => Views.Rounded.To3(LatencyScale.Percentile(counts, share)) ?? 0;
}

/// <summary>Latencies of one backend of a pool.</summary>
internal sealed class BackendLatency
{
    /// <summary>Times to the first token.</summary>
    public LatencyCounts FirstToken { get; } = new();

    /// <summary>Times per output token.</summary>
    public LatencyCounts OutputToken { get; } = new();

    /// <summary>Counts a request that has ended.</summary>
    public void Observe(in RequestTimes times)
    {
        if (times.FirstToken is { } first) FirstToken.Observe(first);
        if (times.PerOutputToken is { } each) OutputToken.Observe(each);
    }

    /// <summary>Begins a step.</summary>
    public void Step()
    {
        FirstToken.Step();
        OutputToken.Step();
    }
}
