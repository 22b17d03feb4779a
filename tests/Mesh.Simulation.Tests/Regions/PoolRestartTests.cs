using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Randomness;
using Mesh.Simulation.Regions;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Pools that lose their state while requests are under way between regions: both sides' counts are exact at once, and nothing is lost or left over.</summary>
public sealed class PoolRestartTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Run_PoolsRestartAtRandom_CountsAreExactOnBothSides(ulong seed)
    {
        var random = new Xoshiro256(seed);
        BackendSettings[] policies =
        [
            new(),
            new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 4 },
            new() { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 8 },
        ];
        var world = new RegionWorld(new RegionWorldOptions
        {
            EndpointsPerRegion = 2,
            Settings = [policies[seed % 3]],
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWait = TimeSpan.FromSeconds(5) },
            Scrapes = false,
            IsJudged = true,
            Seed = seed,
        });
        // Counts of credits begin anew with a pool: what was granted to the one before cannot be told from what is granted to it.
        world.Judge.HasFaults = true;
        var (hosted, away) = (0, 0);
        for (var i = 0; i < 6; i++)
        {
            var region = random.NextInt32(3);
            world.At(1500 + random.NextDouble() * 6000, () =>
            {
                foreach (var peer in world.Sites[region].Pool.Snapshot().Peers) (hosted, away) = (hosted + peer.Hosted, away + peer.InFlight);
                world.RestartPool(region);
            });
        }

        world.Run(Load(random));

        Assert.True(world.Judge.Violations.Count == 0, $"seed {seed}: {string.Join('\n', world.Judge.Violations)}");
        // A pool that begins grants nothing before it has heard a peer several times, by when the peer has heard that nothing holds of what was granted before.
        // A restart a second is much: otherwise one in ten would be the bound.
        Assert.True(world.PeerRefusals <= 0.15 * world.Forwards.Values.Sum(), $"seed {seed}: {world.PeerRefusals} of {world.Forwards.Values.Sum()} came in vain");
        Assert.True(hosted + away > 0, $"seed {seed}: nothing was under way between regions");
        Assert.All(world.Requests, r => Assert.True(r.End is RegionEnd.Served or RegionEnd.Refused, $"seed {seed}: {r.Number} {r.End}"));
        Assert.All(world.Sites, s => Assert.All(s.Pool.Snapshot().Peers, p => Assert.Equal((0, 0), (p.Hosted, p.InFlight))));
    }

    private static IEnumerable<(TraceRequest Row, int Home, int Priority)> Load(Xoshiro256 random)
    {
        var at = 0.0;
        for (var i = 0UL; at < 9000; i++)
        {
            at += -Math.Log(1 - random.NextDouble()) * 15;
            yield return (new TraceRequest { ArrivalMs = at, PromptTokens = 64 + random.NextInt32(4000), OutputTokens = 1 + random.NextInt32(200), Session = i + 1 }, random.NextInt32(10) < 8 ? 0 : 1 + random.NextInt32(2), 0);
        }
    }
}
