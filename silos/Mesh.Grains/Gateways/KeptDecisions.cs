using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Gateways;

/// <summary>The explained decisions of this gateway's own requests, the latest of them. Thread-safe.</summary>
internal sealed class KeptDecisions(int capacity, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Queue<ExplainedDecision> _kept = new();

    /// <summary>Keeps one as the pool sent it; what cannot be read is passed over.</summary>
    public void Add(byte[] json)
    {
        ExplainedDecision decision;
        try
        {
            decision = SnapshotJson.ReadDecision(json);
        }
        catch (JsonException)
        {
            return;
        }

        // Its time came as an age.
        decision = decision with { Timestamp = Ages.ToTimestamp(decision.Timestamp, time) };
        lock (_gate)
        {
            if (_kept.Count >= capacity) _kept.Dequeue();
            _kept.Enqueue(decision);
        }
    }

    /// <summary>The newest first.</summary>
    public ImmutableArray<ExplainedDecision> Find(PoolId? pool, string? requestId, int limit)
    {
        lock (_gate)
        {
            return
            [
                .. _kept.Reverse()
                    .Where(d => (pool is null || d.Pool == pool) && (requestId is null || d.RequestId == requestId))
                    .OrderByDescending(d => d.Timestamp).Take(limit),
            ];
        }
    }
}
