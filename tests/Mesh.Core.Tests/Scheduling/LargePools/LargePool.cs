using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling.LargePools;

/// <summary>Many healthy endpoints, every other one of a second backend, and what changes their costs at random.</summary>
internal sealed class LargePool
{
    public static readonly PoolId Id = new("default", "pool");
    public static readonly bool[] NoneExcluded = new bool[2];

    public LargePool(int endpoints)
    {
        Count = endpoints;
        Endpoints = new EndpointTable(Models);
        Endpoints.Reconfigure(new PoolConfig
        {
            Id = Id,
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("cluster", "zone", 8000),
                    Region = "region",
                    Endpoints = [.. Enumerable.Range(0, endpoints).Select(i => new EndpointConfig { Id = IdOf(i), PodName = $"pod-{i}" })],
                },
            ],
        });
        foreach (var endpoint in Endpoints.Configured)
        {
            endpoint.Place(endpoint.Slot % 2, 0, 1);
            endpoint.Observe(EndpointHealth.Healthy);
        }
    }

    public int Count { get; }

    public ModelCatalog Models { get; } = new();

    public EndpointTable Endpoints { get; }

    public CostModel Model { get; } = new(new SchedulingConfig());

    public static EndpointId IdOf(int number) => new($"10.0.{number >> 8}.{number & 255}:8000");

    /// <summary>A choice by cost; one that looks at all differs in nothing else.</summary>
    public LeastCost Chooser(bool looksAtAll)
    {
        var random = new Xoshiro256(7);
        return new LeastCost(Model, Endpoints, random) { Search = new LargePoolSearch(Model, Endpoints, random) { LooksAtAll = looksAtAll } };
    }

    public void ChangeAll(Xoshiro256 random, double busy, bool queues, double nowMs)
    {
        for (var slot = 0; slot < Count; slot++) Change(slot, random, busy, queues, nowMs);
    }

    public void ChangeSome(Xoshiro256 random, double busy, bool queues, double nowMs)
    {
        for (var i = random.NextInt32(8); i > 0; i--) Change(random.NextInt32(Count), random, busy, queues, nowMs);
    }

    public void Change(int slot, Xoshiro256 random, double busy, bool queues, double nowMs)
    {
        ref var row = ref Endpoints.Costs[slot];
        var isBusy = random.NextDouble() < busy;
        row.BusyUntilMs = isBusy ? nowMs + (random.NextDouble() * 400) : nowMs - random.NextInt32(100);
        row.LeastWaitMs = isBusy && random.NextInt32(4) == 0 ? random.NextDouble() * 50 : 0;
        row.QueuedMs = queues && isBusy && random.NextInt32(3) == 0 ? random.NextDouble() * 300 : 0;
        row.DecodeMs = isBusy ? random.NextDouble() * 60 : 0;
        row.StepIncrementMs = isBusy ? (float)(random.NextDouble() * 10) : 0;
        row.PrefillSpeed = random.NextInt32(3) == 0 ? 0.8 + (random.NextDouble() * 0.5) : 1;
    }

    public static RouteRequest Request(ulong[] chain, int promptTokens) => new()
    {
        RequestId = "r",
        Pool = Id,
        Session = new Core.Leases.GatewaySession("gateway", 1),
        FairnessId = "",
        PromptTokens = promptTokens,
        PrefixChain = chain,
        IsStreaming = true,
    };
}
