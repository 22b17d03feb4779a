using System.Collections.Concurrent;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Metrics;

/// <summary>The series of one pool, found once and then at hand. Thread-safe; what has been used before is found without allocating.</summary>
internal sealed class PoolSeries(GatewayMetrics metrics, string pool)
{
    private readonly ConcurrentDictionary<BackendId, BackendSeries> _backends = new();
    private readonly ConcurrentDictionary<string, BackendSeries> _peers = new();
    private readonly ConcurrentDictionary<string, Counter> _endings = new();
    private readonly ConcurrentDictionary<int, Histogram> _waits = new();
    private readonly Counter?[] _refusals = new Counter?[Enum.GetValues<DecisionReason>().Length];

    public Counter RequestBytes => field ??= metrics.RequestBytes.With(pool);

    public Counter ResponseBytes => field ??= metrics.ResponseBytes.With(pool);

    public Histogram TimeToFirstByte => field ??= metrics.TimeToFirstByte.With(pool);

    /// <summary>Series of requests that were sent nowhere.</summary>
    public BackendSeries Unsent { get; } = new(metrics, pool, default, "");

    /// <summary>Series of a backend; its region is looked up the first time.</summary>
    public BackendSeries Of(BackendId backend, PoolConfig config) =>
        _backends.TryGetValue(backend, out var known) ? known : Add(backend, config);

    /// <summary>Series of a peer region, which chooses the backend itself.</summary>
    public BackendSeries OfPeer(string region) => _peers.TryGetValue(region, out var known) ? known : _peers.GetOrAdd(region, new BackendSeries(metrics, pool, default, region));

    /// <summary>Count of an ending, one of a fixed set.</summary>
    public Counter Ending(string ending) =>
        _endings.TryGetValue(ending, out var known) ? known : _endings.GetOrAdd(ending, metrics.Endings.With(pool, ending));

    /// <summary>Count of placements refused for a reason.</summary>
    public Counter Refused(DecisionReason reason) => _refusals[(int)reason] ??= metrics.Decisions.With(pool, "", "", Refusals.NameOf(reason));

    /// <summary>Waits of a priority, which is one that an objective has.</summary>
    public Histogram Wait(int priority) => _waits.TryGetValue(priority, out var known)
        ? known
        : _waits.GetOrAdd(priority, metrics.QueueWait.With(pool, priority.ToString(CultureInfo.InvariantCulture)));

    private BackendSeries Add(BackendId backend, PoolConfig config)
    {
        var region = "";
        foreach (var candidate in config.Backends)
        {
            if (candidate.Id == backend) region = candidate.Region;
        }

        var made = new BackendSeries(metrics, pool, backend, region);
        // Edits of the manifests could bring ever new backends over the months; beyond the bound nothing is kept at hand.
        return _backends.Count < MetricFamily<Counter>.MaxSeries ? _backends.GetOrAdd(backend, made) : made;
    }
}
