using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Faults;

/// <summary>Clients that come to random gateways with random requests, and some of which leave before they are answered.</summary>
internal sealed class Clients(FaultWorld world)
{
    // Pools have found their endpoints healthy by then.
    private const double FirstMs = 1000;
    private const double LongestStayMs = 2500;
    private const int BlockTokens = 16;

    public void Start() => world.Time.At(FirstMs, Next);

    private void Next()
    {
        if (world.Time.NowMs > world.Plan.DurationMs) return;
        world.Time.After(Draws.Exponential(world.Random, 1000 / world.Plan.RequestsPerSecond), Next);
        var region = world.Regions[world.Random.NextInt32(world.Regions.Length)];
        var gateway = region.Gateways[world.Random.NextInt32(region.Gateways.Length)];
        var request = Make();
        // Whoever balances over the gateways leaves out one that is away.
        if (gateway is null) return;
        world.Requests++;
        gateway.Begin(request);
        if (world.Random.NextDouble() < world.Plan.LeavingShare)
        {
            world.Time.After(world.Random.NextDouble() * LongestStayMs, () =>
            {
                if (gateway.IsAlive) gateway.ClientLeaves(request);
            });
        }
    }

    private ClientRequest Make()
    {
        var random = world.Random;
        var prompt = 16 + random.NextInt32(random.NextInt32(4) == 0 ? 3000 : 400);
        var output = 1 + random.NextInt32(120);
        var pool = DrawPool();
        return new ClientRequest
        {
            Number = world.Requests + 1,
            Pool = pool,
            Model = DrawModel(pool),
            PromptTokens = prompt,
            OutputTokens = output,
            MaxOutputTokens = random.NextInt32(2) == 0 ? 0 : output,
            IsStreaming = random.NextInt32(4) != 0,
            Priority = random.NextInt32(4) - 1,
            Flow = $"flow-{random.NextInt32(3)}",
            AffinityKey = random.NextInt32(6) == 0 ? 1 + (ulong)random.NextInt32(5) : 0,
            Blocks = BlocksOf(random.NextInt32(6), prompt),
        };
    }

    // In proportion to the weights of the route.
    private int DrawPool()
    {
        var weights = world.Plan.PoolWeights;
        if (weights.Count == 1) return 0;
        var point = world.Random.NextInt32(weights.Sum());
        for (var pool = 0; ; pool++)
        {
            point -= weights[pool];
            if (point < 0) return pool;
        }
    }

    // Now and then one that nobody lists, or none.
    private string? DrawModel(int pool)
    {
        if (world.Plan.Models == 0) return null;
        var kind = world.Random.NextInt32(20);
        return kind == 0 ? "nobody-lists-this" : kind < 4 ? null : FaultFleet.Model(pool, world.Random.NextInt32(world.Plan.Models));
    }

    // Prompts of one kind begin alike.
    private static ulong[] BlocksOf(int kind, int promptTokens)
    {
        var blocks = new ulong[promptTokens / BlockTokens];
        for (var i = 0; i < blocks.Length; i++) blocks[i] = BlockHash.Mix(((ulong)kind << 32) + (ulong)i + 1);
        return blocks;
    }
}
