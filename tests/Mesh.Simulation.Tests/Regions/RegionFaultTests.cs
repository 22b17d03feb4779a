using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Simulation.Regions;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Worlds drawn by seed: load, policy, links and faults. No rule of the judge is broken, and every broken variant is caught.</summary>
public sealed class RegionFaultTests
{
    private const double LengthMs = 12_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Run_HealthyLinks_NoRuleIsBroken(ulong seed)
    {
        var world = Play(seed, new CoreGate(), faults: false);

        Assert.True(world.Judge.Violations.Count == 0, $"seed {seed}: {string.Join('\n', world.Judge.Violations)}");
        Assert.All(world.Requests, r => Assert.True(r.End is RegionEnd.Served or RegionEnd.Refused, $"seed {seed}: {r.Number} {r.End}"));
    }

    [Fact]
    public void Run_HealthyLinks_MostWorldsForward() =>
        Assert.InRange(Enumerable.Range(1, 8).Count(seed => Play((ulong)seed, new CoreGate(), faults: false).Forwards.Count > 0), 5, 8);

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    [InlineData(104)]
    [InlineData(105)]
    [InlineData(106)]
    [InlineData(107)]
    [InlineData(108)]
    [InlineData(109)]
    [InlineData(110)]
    public void Run_FaultyLinksAndCrashes_NoRuleIsBroken(ulong seed)
    {
        var world = Play(seed, new CoreGate(), faults: true);

        Assert.True(world.Judge.Violations.Count == 0, $"seed {seed}: {string.Join('\n', world.Judge.Violations)}");
        // Only what had begun with a peer may break, and only what a dead gateway held is lost.
        Assert.All(world.Requests, r => Assert.True(r.End != RegionEnd.Broken || !double.IsNaN(r.FirstByteMs), $"seed {seed}: {r.Number} broke before it had begun"));
    }

    [Fact]
    public void Run_SameSeed_IsTheSameRun()
    {
        var (first, second) = (Play(103, new CoreGate(), faults: true), Play(103, new CoreGate(), faults: true));

        Assert.Equal(first.Events, second.Events);
        Assert.Equal(first.Requests.Select(r => (r.End, r.EndedMs, r.ServedBy)), second.Requests.Select(r => (r.End, r.EndedMs, r.ServedBy)));
    }

    [Theory]
    [InlineData(nameof(SecondHop), "second hop")]
    [InlineData(nameof(AsksAgain), "again")]
    [InlineData(nameof(ForgetsLeases), "leases")]
    [InlineData(nameof(GrantsTooMuch), "granted")]
    [InlineData(nameof(IgnoresCredits), "credits")]
    [InlineData(nameof(BelievesLateAnswers), "is now")]
    public void Run_BrokenVariant_IsCaught(string variant, string said)
    {
        var caught = new List<string>();
        for (var seed = 101UL; seed < 110 && !caught.Exists(v => v.Contains(said, StringComparison.Ordinal)); seed++)
        {
            IRegionGate gate = variant switch
            {
                nameof(SecondHop) => new SecondHop(),
                nameof(AsksAgain) => new AsksAgain(),
                nameof(ForgetsLeases) => new ForgetsLeases(),
                nameof(GrantsTooMuch) => new GrantsTooMuch(),
                nameof(IgnoresCredits) => new IgnoresCredits(),
                _ => new BelievesLateAnswers(),
            };
            caught.AddRange(Play(seed, gate, faults: variant == nameof(BelievesLateAnswers), mostRequests: 300).Judge.Violations);
        }

        Assert.Contains(caught, v => v.Contains(said, StringComparison.Ordinal));
    }

    private static RegionWorld Play(ulong seed, IRegionGate gate, bool faults, int mostRequests = int.MaxValue)
    {
        var random = new Xoshiro256(seed);
        var regions = 2 + random.NextInt32(2);
        BackendSettings[] policies =
        [
            new(),
            new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 2 + random.NextInt32(4) },
            new() { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 5 },
        ];
        // Broken variants are looked for where targets are narrow.
        var policy = policies[gate is CoreGate ? random.NextInt32(3) : 1];
        WhenFull[] whenFull = [WhenFull.Queue, WhenFull.Shed, WhenFull.Overfill];
        var options = new RegionWorldOptions
        {
            Regions = regions,
            EndpointsPerRegion = 2,
            RoundTripMs = [20 + random.NextInt32(100), 50 + random.NextInt32(150), 100],
            Settings = [policy],
            FlowControl = new FlowControlSettings { WhenFull = whenFull[gate is CoreGate ? random.NextInt32(3) : 0], MaxWait = TimeSpan.FromSeconds(5) },
            Scrapes = false,
            IsJudged = true,
            Seed = seed,
        };
        var world = new RegionWorld(options, gate);
        if (faults) Script(world, regions, random);
        world.Run(Load(random, regions).Take(mostRequests));
        return world;
    }

    private static void Script(RegionWorld world, int regions, Xoshiro256 random)
    {
        world.Judge.HasFaults = true;
        for (var i = 0; i < 3; i++)
        {
            var from = 500 + random.NextDouble() * 7000;
            var until = from + 200 + random.NextDouble() * 5000;
            var a = random.NextInt32(regions);
            var b = (a + 1 + random.NextInt32(regions - 1)) % regions;
            switch (random.NextInt32(6))
            {
                case 0:
                    world.At(from, () => world.Links.SetCut(a, b, true));
                    world.At(until, () => world.Links.SetCut(a, b, false));
                    break;
                case 1:
                    world.At(from, () => Cut(world, a, b, true));
                    world.At(until, () => Cut(world, a, b, false));
                    break;
                case 2:
                    world.At(from, () => world.Links.SetLoss(a, b, 0.1));
                    world.At(until, () => world.Links.SetLoss(a, b, 0));
                    break;
                case 3:
                    world.At(from, () => world.Sites[a].IsSilent = true);
                    world.At(until, () => world.Sites[a].IsSilent = false);
                    break;
                case 4:
                    // A link that flaps.
                    for (var t = from; t < until; t += 400)
                    {
                        world.At(t, () => Cut(world, a, b, true));
                        world.At(t + 200, () => Cut(world, a, b, false));
                    }

                    break;
                default:
                    world.At(from, () => world.Crash(a));
                    world.At(until, () => world.Restart(a));
                    break;
            }
        }
    }

    private static void Cut(RegionWorld world, int a, int b, bool cut)
    {
        world.Links.SetCut(a, b, cut);
        world.Links.SetCut(b, a, cut);
    }

    // Most of the load at one gateway, in bursts; all others some.
    private static IEnumerable<(TraceRequest Row, int Home, int Priority)> Load(Xoshiro256 random, int regions)
    {
        var at = 0.0;
        for (var i = 0UL; at < LengthMs; i++)
        {
            at += -Math.Log(1 - random.NextDouble()) * (random.NextInt32(10) == 0 ? 150 : 20);
            var home = random.NextInt32(10) < 7 ? 0 : random.NextInt32(regions);
            yield return (new TraceRequest
            {
                ArrivalMs = at,
                PromptTokens = 64 + random.NextInt32(3000),
                OutputTokens = 1 + random.NextInt32(120),
                Session = i + 1,
            }, home, random.NextInt32(3) - 1 + (random.NextInt32(4) == 0 ? 1 : 0));
        }
    }

    private sealed class SecondHop : IRegionGate
    {
        RouteDecision IRegionGate.Route(PoolState pool, in RouteRequest request) => pool.Route(request with { OriginRegion = null, Hops = 0 });
    }

    // A peer that refuses what it granted, and a gateway that keeps asking it.
    private sealed class AsksAgain : IRegionGate
    {
        bool IRegionGate.ExcludesRefusals => false;

        RouteDecision IRegionGate.Route(PoolState pool, in RouteRequest request)
        {
            var decision = pool.Route(in request);
            if (request.OriginRegion is null || decision.Kind != RouteKind.Send) return decision;
            pool.Complete(decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
            return RouteDecision.Refuse(DecisionReason.PeerFull);
        }

        void IRegionGate.Complete(PoolState pool, LeaseId lease, in RequestOutcome outcome) =>
            pool.Complete(lease, outcome.Kind == OutcomeKind.PeerRefused ? new RequestOutcome(OutcomeKind.NotSent) : outcome);
    }

    private sealed class ForgetsLeases : IRegionGate
    {
        private int _completed;

        void IRegionGate.Complete(PoolState pool, LeaseId lease, in RequestOutcome outcome)
        {
            if (++_completed % 10 != 0) pool.Complete(lease, in outcome);
        }
    }

    private sealed class GrantsTooMuch : IRegionGate
    {
        PoolReport IRegionGate.Report(PoolState pool, string receiver)
        {
            var report = pool.BuildReport(receiver);
            return report with { Tiers = [.. report.Tiers.Select(t => t with { Grant = t.Spare + 5 })] };
        }
    }

    private sealed class IgnoresCredits : IRegionGate
    {
        void IRegionGate.Apply(PoolState pool, RegionReport report) =>
            pool.ApplyPeer(report, report.Pools[0] with { Tiers = [.. report.Pools[0].Tiers.Select(t => t with { Grant = t.Grant + 5 })] });
    }

    private sealed class BelievesLateAnswers : IRegionGate
    {
        bool IRegionGate.KnowsAttempts => false;
    }
}
