using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Scheduling;

/// <summary>Plays one seeded workload on a pool of two backends: requests of every shape, first bytes, ends, samples, probes and time.</summary>
internal static class ProfileRun
{
    public const int Endpoints = 6;
    private const int Steps = 400;

    public static PoolConfig Config(SchedulingConfig scheduling) => PoolFixture.Config(0) with
    {
        Scheduling = scheduling,
        Timeout = TimeSpan.FromMinutes(1),
        Backends = [Backend("gke-west", "europe-west3-c", 0), Backend("gke-east", "us-east1-b", Endpoints / 2)],
    };

    /// <summary>Every decision, those of requests that waited included, in their order.</summary>
    public static List<RouteDecision> Play(SchedulingConfig scheduling, ulong seed, Action<RouteRequest, RouteDecision>? check = null, PoolStateOptions? options = null)
    {
        var pool = new PoolFixture(Config(scheduling), seed, options);
        var random = new Xoshiro256(seed * 7919);
        var trace = new List<RouteDecision>();
        var waiting = new Dictionary<long, RouteRequest>();
        var open = new List<LeaseId>();
        for (var e = 0; e < Endpoints; e++) pool.Models(e, "base", e % 2 == 0 ? "adapter" : "other");
        for (var step = 0; step < Steps; step++)
        {
            switch (random.NextInt32(10))
            {
                case < 5:
                    var request = Request(pool, random);
                    var decision = pool.Route(request);
                    if (decision.Kind == RouteKind.Wait) waiting.Add(decision.Ticket, request);
                    Note(request, decision);
                    break;
                case 5 when open.Count > 0:
                    pool.State.ReportFirstByte(open[random.NextInt32(open.Count)]);
                    break;
                case 6 when open.Count > 0:
                    var index = random.NextInt32(open.Count);
                    pool.State.Complete(open[index], new RequestOutcome(random.NextInt32(12) == 0 ? OutcomeKind.ServerError : OutcomeKind.Success));
                    open.RemoveAt(index);
                    break;
                case 7:
                    pool.State.Apply(new EndpointSample
                    {
                        Endpoint = PoolFixture.Id(random.NextInt32(Endpoints)),
                        Timestamp = pool.Time.GetTimestamp(),
                        KvUtilizationRatio = random.NextDouble(),
                        WaitingRequests = random.NextInt32(12),
                        RunningRequests = random.NextInt32(2) == 0 ? null : random.NextInt32(40),
                        MaxLoras = 1,
                        RunningAdapters = random.NextInt32(2) == 0 ? ["other"] : [],
                    });
                    break;
                case 8 when step % 5 == 0:
                    pool.Probe(random.NextInt32(Endpoints), random.NextInt32(3) > 0);
                    break;
                default:
                    pool.Time.Advance(TimeSpan.FromMilliseconds(random.NextInt32(120)));
                    pool.State.Tick();
                    break;
            }

            while (pool.State.TryTakeDecided(out var ticket, out var late))
            {
                waiting.Remove(ticket, out var waited);
                Note(waited, late);
            }
        }

        return trace;

        void Note(RouteRequest request, RouteDecision decision)
        {
            trace.Add(decision);
            if (decision.Kind == RouteKind.Send) open.Add(decision.Lease);
            check?.Invoke(request, decision);
        }
    }

    private static RouteRequest Request(PoolFixture pool, Xoshiro256 random) => pool.Request(
        model: random.NextInt32(3) == 0 ? "adapter" : "base",
        prompt: 1 + random.NextInt32(6000),
        subset: random.NextInt32(6) == 0 ? [PoolFixture.Id(random.NextInt32(Endpoints)), PoolFixture.Id(random.NextInt32(Endpoints))] : null,
        excluded: random.NextInt32(8) == 0 ? [PoolFixture.Id(random.NextInt32(Endpoints))] : null) with
    {
        IsStreaming = random.NextInt32(4) > 0,
        AffinityKey = 0,
        FairnessId = random.NextInt32(2) == 0 ? "" : $"flow-{random.NextInt32(4)}",
        PrefixChain = Chain(random),
    };

    private static ulong[] Chain(Xoshiro256 random)
    {
        var chain = new ulong[random.NextInt32(6)];
        var seed = (ulong)(1 + random.NextInt32(4));
        for (var i = 0; i < chain.Length; i++) chain[i] = (seed * 1_000_003) + (ulong)i;
        return chain;
    }

    private static BackendConfig Backend(string cluster, string zone, int first) => new()
    {
        Id = new BackendId(cluster, zone, 8000),
        Region = zone[..^2],
        Endpoints = [.. Enumerable.Range(first, Endpoints / 2).Select(e => new EndpointConfig { Id = PoolFixture.Id(e), PodName = $"pod-{e}" })],
    };
}
