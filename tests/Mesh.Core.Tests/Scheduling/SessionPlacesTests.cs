using System.Runtime.InteropServices;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Tests.Scheduling.LargePools;
using Mesh.Testing;

namespace Mesh.Core.Tests.Scheduling;

/// <summary>Sessions that come again and again: each is where a look at every endpoint would put it.</summary>
public sealed class SessionPlacesTests
{
    private const int EndpointsPerBackend = 150;
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(1, 0.9)]
    [InlineData(2, 0.3)]
    public void Route_SessionsComeAgain_EachIsWhereAllWouldPutIt(ulong seed, double healthy)
    {
        var random = new Xoshiro256(seed);
        var pool = new PoolState(Config(1, 1), _time, 1, new PoolStateOptions { SlowStartWindow = TimeSpan.Zero });
        var isHealthy = new Dictionary<EndpointId, bool>();
        foreach (var id in Ids()) Set(pool, isHealthy, id, random.NextDouble() < healthy);
        for (var step = 0; step < 2000; step++)
        {
            if (step % 10 == 0)
            {
                var ids = Ids();
                Set(pool, isHealthy, ids[random.NextInt32(ids.Length)], random.NextDouble() < healthy);
            }

            // Backends are switched off and on again, all endpoints of one at a time.
            if (step % 400 == 200) pool.Reconfigure(Config(1, 0));
            if (step % 400 == 300) pool.Reconfigure(Config(1, 1));
            var isOff = step % 400 is >= 200 and < 300;
            var key = ((ulong)random.NextInt32(100) + 1) * 0x9E3779B97F4A7C15;
            var expected = Ids().Where(id => isHealthy[id] && !(isOff && id.Address[0] == 'b'))
                .MaxBy(id => RendezvousHash.Weight(PromptHasher.SeedOf(MemoryMarshal.AsBytes(id.Address.AsSpan())), key));
            var decision = pool.Route(LargePool.Request([], 100) with { AffinityKey = key });
            Assert.Equal(RouteKind.Send, decision.Kind);
            Assert.True(expected == decision.Endpoint, $"seed {seed}, step {step}: {decision.Endpoint} instead of {expected}");
            pool.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success));
        }
    }

    [Fact]
    public void Route_MoreSessionsThanAreRemembered_AllocatesNothing()
    {
        var pool = new PoolState(Config(1, 1), _time, 1, new PoolStateOptions { SlowStartWindow = TimeSpan.Zero });
        foreach (var id in Ids()) pool.ApplyHealth(id, EndpointHealth.Healthy);
        for (var key = 1UL; key < 5_000; key++) Turn(pool, key);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var key = 1UL; key < 15_000; key++) Turn(pool, key);
        }));
    }

    private static void Turn(PoolState pool, ulong key)
    {
        var decision = pool.Route(LargePool.Request([], 100) with { AffinityKey = key });
        pool.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success));
    }

    private static void Set(PoolState pool, Dictionary<EndpointId, bool> isHealthy, EndpointId id, bool value)
    {
        isHealthy[id] = value;
        pool.ApplyHealth(id, value ? EndpointHealth.Healthy : EndpointHealth.Unhealthy);
    }

    private static EndpointId[] Ids() => [.. from cluster in (string[])["a", "b"] from i in Enumerable.Range(0, EndpointsPerBackend) select new EndpointId($"{cluster}.{i}:8000")];

    private static PoolConfig Config(params double[] scalers) => new()
    {
        Id = LargePool.Id,
        Backends = [.. scalers.Select((scaler, b) => new BackendConfig
        {
            Id = new BackendId("ab"[b].ToString(), "zone", 8000),
            Region = "region",
            Settings = new BackendSettings { CapacityScaler = scaler },
            Endpoints = [.. Enumerable.Range(0, EndpointsPerBackend).Select(i => new EndpointConfig { Id = new EndpointId($"{"ab"[b]}.{i}:8000"), PodName = $"pod-{i}" })],
        })],
    };
}
