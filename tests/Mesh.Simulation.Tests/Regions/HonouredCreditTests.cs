using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Randomness;
using Mesh.Simulation.Regions;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Two gateways whose load steps at the same moment share a third region's room: what it granted is there when their requests come.</summary>
public sealed class HonouredCreditTests
{
    [Theory]
    [InlineData("rate", WhenFull.Shed, 1)]
    [InlineData("rate", WhenFull.Queue, 2)]
    [InlineData("in flight", WhenFull.Shed, 3)]
    [InlineData("in flight", WhenFull.Queue, 4)]
    [InlineData("in flight", WhenFull.Shed, 5)]
    [InlineData("in flight", WhenFull.Queue, 6)]
    public void Run_TwoGatewaysStepAtOnce_FewForwardsComeInVain(string target, WhenFull whenFull, ulong seed)
    {
        Check(Play(target, whenFull, seed, localPerSecond: 0), inVain: 0.02);
    }

    [Theory]
    [InlineData("rate", WhenFull.Shed, 11)]
    [InlineData("in flight", WhenFull.Queue, 12)]
    public void Run_WithLoadOfItsOwn_OnlyThatTakesWhatWasGranted(string target, WhenFull whenFull, ulong seed)
    {
        // Local requests come at random: those of an interval and a round trip may be three more than are expected.
        Check(Play(target, whenFull, seed, localPerSecond: 20), inVain: 0.08);
    }

    private static void Check(RegionWorld world, double inVain)
    {
        var (sent, refused) = (0L, 0L);
        for (var home = 0; home < 2; home++)
        {
            sent += world.Forwards.GetValueOrDefault((home, 2));
            refused += world.Refusals.GetValueOrDefault((home, 2));
        }

        var forwards = world.Forwards.Values.Sum();
        Assert.Empty(world.Judge.Violations);
        Assert.True(sent > 100, $"only {sent} were forwarded");
        Assert.True(refused <= inVain * sent && world.PeerRefusals <= 0.1 * forwards, $"{refused} of {sent} came in vain; between the two {world.PeerRefusals - refused} of {forwards - sent}");
    }

    private static RegionWorld Play(string target, WhenFull whenFull, ulong seed, double localPerSecond)
    {
        var settings = target == "rate"
            ? new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 12 }
            : new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 12 };
        var world = new RegionWorld(new RegionWorldOptions
        {
            EndpointsPerRegion = 4,
            RoundTripMs = [80, 60, 150],
            Settings = [settings],
            FlowControl = new FlowControlSettings { WhenFull = whenFull, MaxWait = TimeSpan.FromSeconds(2) },
            Scrapes = false,
            IsJudged = true,
            Seed = seed,
        });
        world.Run(Load(new Xoshiro256(seed), localPerSecond));
        return world;
    }

    // From the second second on, each of two gateways gets more than twice what its region takes, at random distances.
    private static IEnumerable<(TraceRequest Row, int Home, int Priority)> Load(Xoshiro256 random, double localPerSecond)
    {
        double[] perSecond = [120, 120, localPerSecond];
        var number = 0UL;
        var next = new double[3];
        for (var home = 0; home < 3; home++) next[home] = 2000 + Gap(perSecond[home]);
        while (true)
        {
            var home = next[0] <= next[1] && next[0] <= next[2] ? 0 : next[1] <= next[2] ? 1 : 2;
            if (next[home] > 10_000) yield break;
            yield return (new TraceRequest { ArrivalMs = next[home], PromptTokens = 32 + random.NextInt32(400), OutputTokens = 20 + random.NextInt32(80), Session = ++number }, home, 0);
            next[home] += Gap(perSecond[home]);
        }

        double Gap(double rate) => rate <= 0 ? double.PositiveInfinity : -Math.Log(1 - random.NextDouble()) * 1000 / rate;
    }
}
