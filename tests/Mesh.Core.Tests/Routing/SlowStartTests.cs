using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Tests.Routing;

public sealed class SlowStartTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    /// <summary>Those that choose by load, cost or draw; by session, an endpoint gets what its sessions ask.</summary>
    public static TheoryData<string> Profiles => [.. ProfileNames.All.Where(p => p != ProfileNames.Session)];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Route_ANewEndpointBesideOthers_ItsShareFollowsTheRamp(string profile)
    {
        var pool = Pool(4, profile);
        Add(pool, 5, profile);
        const int phases = 10, perPhase = 500;
        for (var phase = 0; phase < phases; phase++)
        {
            var (got, due) = (0, 0.0);
            for (var i = 0; i < perPhase; i++)
            {
                pool.Time.Advance(Window / (phases * perPhase));
                var ramp = pool.Endpoint(4).Ramp;
                due += ramp / (4 + ramp);
                if (Round(pool) == PoolFixture.Id(4)) got++;
            }
            // What it earned before may come late, and profiles that draw by lot may leave a part of it.
            Assert.InRange(got, 0.6 * due - 2, due + 2);
        }

        Assert.Equal(1, pool.Endpoint(4).Ramp);
        var share = Enumerable.Range(0, 1000).Count(_ => Round(pool) == PoolFixture.Id(4)) / 1000.0;
        Assert.InRange(share, 0.14, 0.26);
    }

    [Theory]
    [InlineData(ProfileNames.Mesh)]
    [InlineData(ProfileNames.LeastLoad)]
    public void Route_OthersAreBusy_TheEmptyNewcomerDoesNotGetItAll(string profile)
    {
        var pool = Pool(4, profile);
        for (var i = 0; i < 200; i++) pool.Route();
        Add(pool, 5, profile);

        for (var i = 0; i < 100; i++) pool.Route();

        // A tenth of a fifth of them, and the one that it may have at once; those who waited before come first.
        Assert.InRange(pool.Endpoint(4).InFlightRequests, 1, 5);
    }

    [Fact]
    public void Route_AllAreNew_NobodyStarts()
    {
        var pool = Pool(4);
        Assert.All(pool.Endpoints(), e => Assert.Equal(1, e.Ramp));

        var empty = new PoolFixture(PoolFixture.Config(0), options: new PoolStateOptions { SlowStartWindow = Window });
        empty.State.Reconfigure(PoolFixture.Config(4));
        for (var i = 0; i < 4; i++) empty.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
        Assert.All(empty.Endpoints(), e => Assert.Equal(1, e.Ramp));
    }

    [Fact]
    public void Route_AllComeBackAtOnce_NobodyIsHeldBack()
    {
        var pool = Pool(4);
        for (var i = 0; i < 4; i++) pool.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Unhealthy);
        for (var i = 0; i < 4; i++) pool.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);

        for (var i = 0; i < 400; i++) pool.Route();

        Assert.All(pool.Endpoints(), e => Assert.Equal((100, 0.1), (e.InFlightRequests, e.Ramp)));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Route_NobodyElseIsThere_TheNewcomerServesAll(string profile)
    {
        var pool = Pool(2, profile);
        Add(pool, 3, profile);
        for (var i = 0; i < 50; i++) Round(pool);
        for (var i = 0; i < 2; i++) pool.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Unhealthy);

        for (var i = 0; i < 50; i++) Assert.Equal(PoolFixture.Id(2), Round(pool));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Route_OnlyTheNewcomerMayTakeIt_ItIsNeverRefused(string profile)
    {
        var pool = Pool(2, profile);
        Add(pool, 3, profile);
        for (var i = 0; i < 50; i++)
        {
            var decision = pool.RouteTo(2);
            Assert.Equal(PoolFixture.Id(2), decision.Endpoint);
            pool.Complete(decision);
        }
    }

    [Fact]
    public void Route_ANewBackendThatAPolicyPrefers_ServesAtOnce()
    {
        var pool = new PoolFixture(TwoBackends(1), options: new PoolStateOptions { SlowStartWindow = Window });
        pool.State.Reconfigure(TwoBackends(2));
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Healthy);

        for (var i = 0; i < 50; i++) Assert.Equal(PoolFixture.Id(1), Round(pool));
    }

    [Fact]
    public void Ramp_RisesEvenly_AndEnds()
    {
        var pool = Pool(2);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Healthy);
        Assert.Equal(0.1, pool.Endpoint(1).Ramp);
        pool.Time.Advance(Window / 3);
        Assert.Equal(0.4, pool.Endpoint(1).Ramp, 6);
        pool.Time.Advance(Window * 2 / 3);
        pool.State.Tick();
        Assert.Equal(1, pool.Endpoint(1).Ramp);
        Assert.Equal(1, pool.Endpoint(0).Ramp);
    }

    [Fact]
    public void Ramp_Begins_AfterEjectionSleepAndRestart()
    {
        var pool = Pool(8);
        for (var i = 0; i < 5; i++) pool.Complete(pool.RouteTo(1), OutcomeKind.ServerError);
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        pool.State.Heartbeat(PoolFixture.Session);
        pool.State.Tick();
        Assert.Equal((1, 0.1), (pool.Endpoint(1).Ejections, pool.Endpoint(1).Ramp));

        foreach (var asleep in (bool[])[true, false]) Sample(pool, 2, started: null, asleep);
        Assert.Equal(0.1, pool.Endpoint(2).Ramp);

        foreach (var started in (double[])[1000, 2000]) Sample(pool, 3, started, asleep: false);
        Assert.Equal(0.1, pool.Endpoint(3).Ramp);
        Assert.Equal(1, pool.Endpoint(4).Ramp);
    }

    [Fact]
    public void Ramp_SwitchedOff_NobodyStarts()
    {
        var pool = Pool(2, window: TimeSpan.Zero);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Healthy);
        Assert.Equal(1, pool.Endpoint(1).Ramp);
    }

    [Theory]
    [InlineData(ProfileNames.Mesh)]
    [InlineData(ProfileNames.LeastLoad)]
    public void Explain_AnEndpointIsHeldBack_SaysSo(string profile)
    {
        var pool = Pool(2, profile);
        Add(pool, 3, profile);
        for (var i = 0; i < 10; i++) Round(pool);
        pool.State.Route(pool.Request() with { Explain = true });

        var decision = pool.State.Decisions()[^1];
        Assert.Contains(new RemovedEndpoint(PoolFixture.Id(2), RemovedEndpoint.SlowStart), decision.Removed);
        Assert.Equal(2, decision.CandidateCount);
        Assert.All(decision.Candidates, c => Assert.Equal(1, c.Ramp));
    }

    [Fact]
    public void Route_WhileEndpointsStart_AllocatesNoMore()
    {
        var usual = Pool(50);
        var starting = Pool(50);
        for (var i = 40; i < 50; i++)
        {
            starting.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Unhealthy);
            starting.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
        }

        Assert.InRange(BytesPerRound(starting), 0, BytesPerRound(usual) + 0.5);
    }

    /// <summary>Endpoints come, go and return at random: nobody is refused who has a healthy endpoint, and none that starts beside others gets more than it earned.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Route_EndpointsComeAndGo_SharesAreKept(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var names = ProfileNames.All.Where(p => p != ProfileNames.Session).ToArray();
        var profile = names[random.NextInt32(names.Length)];
        var pool = Pool(8, profile);
        var healthy = Enumerable.Repeat(true, 8).ToArray();
        var earned = new double[8];
        for (var step = 0; step < 5000; step++)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(random.NextInt32(20)));
            if (random.NextInt32(100) == 0)
            {
                var changed = random.NextInt32(8);
                healthy[changed] = !healthy[changed];
                pool.State.ApplyHealth(PoolFixture.Id(changed), healthy[changed] ? EndpointHealth.Healthy : EndpointHealth.Unhealthy);
                if (healthy[changed]) earned[changed] = 3;
            }
            var before = pool.Endpoints().ToDictionary(e => e.Id, e => e.Ramp);
            var decision = pool.Route();
            if (!healthy.Contains(true))
            {
                Assert.Equal(RouteKind.Refuse, decision.Kind);
                continue;
            }
            Assert.True(decision.Kind == RouteKind.Send, $"seed {seed}, {profile}, step {step}: {decision}");
            pool.Complete(decision);
            var ready = Enumerable.Range(0, 8).Where(i => healthy[i]).ToArray();
            var shares = ready.Sum(i => before[PoolFixture.Id(i)]);
            var hasFull = ready.Any(i => before[PoolFixture.Id(i)] >= 1);
            foreach (var i in ready.Where(i => before[PoolFixture.Id(i)] < 1))
            {
                // Among those that all start, each serves as it is chosen.
                if (!hasFull) earned[i] = 3;
                else earned[i] += (before[PoolFixture.Id(i)] / shares) - (decision.Endpoint == PoolFixture.Id(i) ? 1 : 0);
                Assert.True(earned[i] > -2, $"seed {seed}, {profile}, step {step}: endpoint {i} got more than it earned");
            }
        }
    }

    private static double BytesPerRound(PoolFixture pool)
    {
        const int rounds = 2000;
        var requests = Enumerable.Range(0, 16).Select(_ => pool.Request()).ToArray();
        for (var i = 0; i < rounds; i++) pool.Complete(pool.State.Route(requests[i % 16]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < rounds; i++) pool.Complete(pool.State.Route(requests[i % 16]));
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)rounds;
    }

    private static PoolFixture Pool(int endpoints, string profile = ProfileNames.LeastLoad, TimeSpan? window = null) =>
        new(Config(endpoints, profile), options: new PoolStateOptions { SlowStartWindow = window ?? Window, SessionTimeout = TimeSpan.FromMinutes(10) });

    private static PoolConfig Config(int endpoints, string profile) => PoolFixture.Config(endpoints) with { Scheduling = new SchedulingConfig { Profile = profile } };

    private static PoolConfig TwoBackends(int backends) => new()
    {
        Id = PoolFixture.PoolName,
        Backends =
        [
            .. Enumerable.Range(0, backends).Select(i => new BackendConfig
            {
                Id = new BackendId($"cluster-{i}", "zone", 8000),
                Region = "region",
                Endpoints = [new EndpointConfig { Id = PoolFixture.Id(i), PodName = "pod" }],
                Settings = new BackendSettings { Preference = i == 1 ? BackendPreference.Preferred : BackendPreference.Default },
            }),
        ],
    };

    private static void Add(PoolFixture pool, int endpoints, string profile)
    {
        pool.State.Reconfigure(Config(endpoints, profile));
        pool.State.ApplyHealth(PoolFixture.Id(endpoints - 1), EndpointHealth.Healthy);
    }

    private static void Sample(PoolFixture pool, int endpoint, double? started, bool asleep)
    {
        pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(endpoint), Timestamp = pool.Time.GetTimestamp(), EngineStarted = started, IsAsleep = asleep });
    }

    private static EndpointId Round(PoolFixture pool)
    {
        var decision = pool.Route();
        Assert.Equal(RouteKind.Send, decision.Kind);
        pool.Complete(decision);
        return decision.Endpoint;
    }
}
