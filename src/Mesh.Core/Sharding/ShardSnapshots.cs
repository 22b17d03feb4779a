using System.Collections.Immutable;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Sharding;

/// <summary>The states of a pool's shards as the state of one pool.</summary>
public static class ShardSnapshots
{
    /// <summary>Adds the shards up. The states of one pool come from different moments.</summary>
    /// <param name="shards">One for each shard, by number; at least one.</param>
    public static PoolSnapshot Sum(IReadOnlyList<PoolSnapshot> shards)
    {
        ArgumentNullException.ThrowIfNull(shards);
        var head = shards[0];
        if (shards.Count == 1) return head;
        return head with
        {
            Backends = [.. shards.SelectMany(s => s.Backends).GroupBy(b => b.Id).OrderBy(g => g.Key).Select(g => Sum([.. g]))],
            Leases = shards.Sum(s => s.Leases - s.Peers.Where(p => ShardName.TryParse(p.Region, out _)).Sum(p => p.InFlight)),
            Sessions = [.. shards.SelectMany(s => s.Sessions).GroupBy(s => s.Session).Select(g => new SessionSnapshot(g.Key, g.Sum(s => s.Leases), g.Min(s => s.SinceSeen)))],
            FirstTokenPredictions = Sum(shards, s => s.FirstTokenPredictions),
            OutputTokenPredictions = Sum(shards, s => s.OutputTokenPredictions),
            Peers =
            [
                .. shards.SelectMany(s => s.Peers).Where(p => !ShardName.TryParse(p.Region, out _)).GroupBy(p => p.Region, StringComparer.Ordinal)
                    .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => Sum([.. g])),
            ],
            Queue =
            [
                .. shards.SelectMany(s => s.Queue).GroupBy(q => q.Priority).OrderByDescending(g => g.Key).Select(
                    g => new QueueBandSnapshot(g.Key, g.Sum(q => q.Requests), g.Max(q => q.Flows)) { OldestWait = g.Max(q => q.OldestWait) }),
            ],
            Shards = [.. shards.Select(Detail)],
        };
    }

    private static ShardSnapshot Detail(PoolSnapshot shard, int number)
    {
        var others = shard.Peers.Where(p => ShardName.TryParse(p.Region, out _)).ToArray();
        return new ShardSnapshot(number, shard.Epoch)
        {
            Leases = shard.Leases,
            Endpoints = shard.Backends.Sum(b => b.Endpoints.Length),
            HealthyEndpoints = shard.Backends.Sum(b => b.HealthyEndpoints),
            WaitingRequests = shard.Queue.Sum(q => q.Requests),
            Forwarded = others.Sum(p => p.Forwarded),
            Received = others.Sum(p => p.Received),
        };
    }

    // Each shard has its part of the credits, and its own requests there and from there.
    private static PeerSnapshot Sum(PeerSnapshot[] parts) => parts.MinBy(p => p.ReportAge ?? TimeSpan.MaxValue)! with
    {
        Credits = parts.Sum(p => p.Credits),
        InFlight = parts.Sum(p => p.InFlight),
        Hosted = parts.Sum(p => p.Hosted),
        Forwarded = parts.Sum(p => p.Forwarded),
        Refused = parts.Sum(p => p.Refused),
        Received = parts.Sum(p => p.Received),
    };

    private static BackendSnapshot Sum(BackendSnapshot[] parts)
    {
        var sum = parts[0] with
        {
            // An endpoint on its way stands with both for a moment; the one where it is not known yet says less.
            Endpoints = [.. parts.SelectMany(b => b.Endpoints).GroupBy(e => e.Id).OrderBy(g => g.Key).Select(g => g.OrderByDescending(e => e.InFlightRequests).ThenBy(e => e.Health == Endpoints.EndpointHealth.Unknown).First())],
            HealthyEndpoints = parts.Sum(b => b.HealthyEndpoints),
            InFlightRequests = parts.Sum(b => b.InFlightRequests),
            RequestsPerSecond = parts.Sum(b => b.RequestsPerSecond),
            TargetRatePerSecond = Sum(parts, b => b.TargetRatePerSecond),
            TargetInFlight = Sum(parts, b => b.TargetInFlight),
            Drained = parts.All(b => b.Drained),
        };
        return sum with { Fullness = Fullness(sum, parts), Utilizations = Utilizations(parts) };
    }

    private static double? Fullness(BackendSnapshot sum, BackendSnapshot[] parts)
    {
        if (sum.TargetRatePerSecond is > 0 and { } rate) return sum.RequestsPerSecond / rate;
        if (sum.TargetInFlight is > 0 and { } inFlight) return sum.InFlightRequests / inFlight;
        // A utilization: each part weighs as much as it has endpoints.
        var known = parts.Where(b => b.Fullness is not null && b.HealthyEndpoints > 0).ToArray();
        return known.Length == 0 ? null : known.Sum(b => b.Fullness!.Value * b.HealthyEndpoints) / known.Sum(b => b.HealthyEndpoints);
    }

    private static ImmutableArray<double?> Utilizations(BackendSnapshot[] parts) => parts[0].Utilizations.IsDefaultOrEmpty
        ? parts[0].Utilizations
        : [.. Enumerable.Range(0, parts[0].Utilizations.Length).Select(i => parts.Where(b => b.Utilizations.Length > i).Average(b => b.Utilizations[i]))];

    private static double? Sum(BackendSnapshot[] parts, Func<BackendSnapshot, double?> figure) =>
        Array.TrueForAll(parts, b => figure(b) is null) ? null : parts.Sum(figure);

    private static PredictionSnapshot Sum(IReadOnlyList<PoolSnapshot> shards, Func<PoolSnapshot, PredictionSnapshot> figure) => new(
        shards.Sum(s => figure(s).Count), shards.Sum(s => figure(s).ObservedMs), shards.Sum(s => figure(s).AbsoluteErrorMs));
}
