using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Randomness;
using Mesh.Simulation.Regions;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Two tenants over three full regions, one of them greedy: what each gets is judged over all regions together, wherever their requests come in.</summary>
public sealed class TenantShareTests
{
    private const double WarmUpMs = 4000;
    private const double LengthMs = 16_000;
    private const int Capacity = 3 * 16;

    // An answer takes about a second.
    private const int Tokens = 130;

    [Theory]
    [InlineData(1, new double[] { 90, 0, 0 }, new double[] { 15, 15, 15 })]
    [InlineData(2, new double[] { 40, 40, 40 }, new double[] { 30, 10, 0 })]
    [InlineData(3, new double[] { 40, 60, 20 }, new double[] { 15, 15, 15 })]
    public void Run_OneTenantAsksForMuchMore_BothGetAlike(ulong seed, double[] greedy, double[] modest)
    {
        var (shares, world) = Play(seed, greedy, modest);

        Assert.InRange((double)shares[1] / (shares[0] + shares[1]), 0.4, 0.6);
        // Nothing is left idle for it.
        Assert.True((shares[0] + shares[1]) * 1000 / (LengthMs - WarmUpMs) > 0.8 * Capacity, $"{shares[0]} and {shares[1]} were served");
        Assert.Empty(world.Judge.Violations);
    }

    [Fact]
    public void Run_TheOtherAsksForLittle_GetsAllOfIt()
    {
        var (shares, _) = Play(4, greedy: [60, 30, 30], modest: [4, 4, 4]);

        Assert.True(shares[1] >= 0.9 * 12 * (LengthMs - WarmUpMs) / 1000, $"{shares[1]} of {12 * (LengthMs - WarmUpMs) / 1000} were served");
    }

    // Requests that were served of each, of those that came after the warm-up.
    private static (int[] Shares, RegionWorld World) Play(ulong seed, double[] greedy, double[] modest)
    {
        var world = new RegionWorld(new RegionWorldOptions
        {
            EndpointsPerRegion = 4,
            Settings = [new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 4 }],
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWait = TimeSpan.FromSeconds(2) },
            TenantOf = row => IsGreedy(row) ? "greedy" : "modest",
            Scrapes = false,
            IsJudged = true,
            Seed = seed,
        });
        world.Run(Load(new Xoshiro256(seed), greedy, modest));
        var counted = world.Requests.Where(r => r.ArrivedMs >= WarmUpMs && r.End == RegionEnd.Served).ToArray();
        return ([counted.Count(r => IsGreedy(r.Row)), counted.Count(r => !IsGreedy(r.Row))], world);
    }

    private static bool IsGreedy(TraceRequest row) => row.Session % 2 == 0;

    private static IEnumerable<(TraceRequest Row, int Home, int Priority)> Load(Xoshiro256 random, double[] greedy, double[] modest)
    {
        double[] perSecond = [.. greedy, .. modest];
        double[] next = [.. perSecond.Select(Gap)];
        for (var number = 0UL; ; number += 2)
        {
            var stream = 0;
            for (var i = 1; i < next.Length; i++)
            {
                if (next[i] < next[stream]) stream = i;
            }

            if (next[stream] > LengthMs) yield break;
            yield return (
                new TraceRequest { ArrivalMs = next[stream], PromptTokens = 64, OutputTokens = Tokens / 2 + random.NextInt32(Tokens), Session = number + (stream < greedy.Length ? 0UL : 1) },
                stream % greedy.Length, 0);
            next[stream] += Gap(perSecond[stream]);
        }

        double Gap(double rate) => rate <= 0 ? double.PositiveInfinity : -Math.Log(1 - random.NextDouble()) * 1000 / rate;
    }
}
