using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Tests.Routing;

public sealed class EjectionTests
{
    public static TheoryData<string> Profiles => [.. ProfileNames.All];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Complete_FiveFailures_NoProfileSendsThereUntilItReturns(string profile)
    {
        var pool = Pool(4, profile);
        Fail(pool, 2, 5);
        var ejected = pool.Endpoint(2);
        Assert.Equal((1, pool.Time.GetTimestamp() + TimeSpan.FromSeconds(5).Ticks), (ejected.Ejections, ejected.EjectedUntil));

        for (var i = 0; i < 200; i++) Assert.NotEqual(PoolFixture.Id(2), Round(pool));
        Assert.Equal(5, pool.State.Tick()!.Value.TotalSeconds, 0.001);
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        pool.State.Heartbeat(PoolFixture.Session);
        pool.State.Tick();

        Assert.Null(pool.Endpoint(2).EjectedUntil);
        // A session's requests all go to its own endpoint.
        var sent = Enumerable.Range(0, 400).Select(i => Round(pool, affinity: (ulong)i + 1)).ToHashSet();
        Assert.Contains(PoolFixture.Id(2), sent);
    }

    [Theory]
    [InlineData(OutcomeKind.Success)]
    [InlineData(OutcomeKind.ClientGone)]
    [InlineData(OutcomeKind.NotSent)]
    [InlineData(OutcomeKind.EndpointFull)]
    public void Complete_NotTheEndpointsFailure_NeverEjects(OutcomeKind kind)
    {
        var pool = Pool(4);
        Fail(pool, 0, 50, kind);
        Assert.Equal(0, pool.Endpoint(0).Ejections);
    }

    [Theory]
    [InlineData(OutcomeKind.ConnectFailure)]
    [InlineData(OutcomeKind.ServerError)]
    [InlineData(OutcomeKind.Timeout)]
    [InlineData(OutcomeKind.StreamBroken)]
    public void Complete_TheEndpointsFailure_Ejects(OutcomeKind kind)
    {
        var pool = Pool(4);
        Fail(pool, 0, 5, kind);
        Assert.Equal(1, pool.Endpoint(0).Ejections);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(5, 2)]
    [InlineData(6, 3)]
    public void Complete_EveryEndpointFails_AtMostHalfAreEjected(int endpoints, int ejected)
    {
        var pool = Pool(endpoints);
        for (var i = 0; i < endpoints; i++) Fail(pool, i, 20);
        Assert.Equal(ejected, pool.Endpoints().Count(e => e.EjectedUntil is not null));
        Assert.Equal(RouteKind.Send, pool.Route().Kind);
    }

    [Fact]
    public void Complete_OthersAreUnhealthy_TheLastReadyOneIsNotEjected()
    {
        var pool = Pool(4);
        for (var i = 1; i < 4; i++) pool.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Unhealthy);
        Fail(pool, 0, 20);
        Assert.Equal(0, pool.Endpoint(0).Ejections);
    }

    [Fact]
    public void ApplyHealth_TheLastReadyOneDies_TheEjectedReturn()
    {
        var pool = Pool(2);
        Fail(pool, 0, 5);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);

        Assert.Null(pool.Endpoint(0).EjectedUntil);
        Assert.Equal(PoolFixture.Id(0), pool.Route().Endpoint);
    }

    [Fact]
    public void Reconfigure_BackendShrinks_TheBoundIsKept()
    {
        var pool = Pool(6);
        for (var i = 0; i < 3; i++) Fail(pool, i, 5);
        Assert.Equal(3, pool.Endpoints().Count(e => e.EjectedUntil is not null));

        pool.State.Reconfigure(Config([0, 1, 2, 3], ProfileNames.Mesh));

        Assert.Equal(2, pool.Endpoints().Count(e => e.EjectedUntil is not null));
    }

    [Fact]
    public void Route_OnlyAnEjectedOneIsLeftForTheRequest_IsSentThere()
    {
        var pool = Pool(3);
        Fail(pool, 0, 5);
        Assert.Equal(PoolFixture.Id(0), To(pool, 0).Endpoint);
    }

    [Fact]
    public void Complete_RequestsWaitForTheEjected_TheyArePlacedAnew()
    {
        var pool = Pool(2);
        var large = pool.Request(prompt: 8000) with { IsStreaming = true };
        for (var i = 0; i < 4; i++) Fail(pool, 0, 1);
        // Their weight as load has faded by then.
        pool.Time.Advance(TimeSpan.FromSeconds(60));
        var running = new[] { pool.Route(large), pool.Route(large) };
        for (var i = 0; i < 4; i++) pool.Route(large);
        Assert.Equal(4, pool.Endpoints().Sum(e => e.WaitingRequests));

        pool.Complete(running.Single(r => r.Endpoint == PoolFixture.Id(0)), OutcomeKind.ServerError);

        Assert.NotNull(pool.Endpoint(0).EjectedUntil);
        Assert.Equal((0, 4), (pool.Endpoint(0).WaitingRequests, pool.Endpoint(1).WaitingRequests));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Route_EndpointFailsAtOnce_NeverLooksIdle(string profile)
    {
        var pool = Pool(4, profile);
        var failed = 0;
        for (var i = 0; i < 2000; i++)
        {
            pool.State.Heartbeat(PoolFixture.Session);
            pool.State.Tick();
            var decision = pool.Route(pool.Request() with { AffinityKey = (ulong)i + 1, IsStreaming = true });
            var fails = decision.Endpoint == PoolFixture.Id(3);
            if (fails) failed++;
            pool.Complete(decision, fails ? OutcomeKind.ConnectFailure : OutcomeKind.Success);
            pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        }

        // 20 s at 100 requests/s: three ejections at most, after five failures each.
        Assert.InRange(failed, 1, 15);
    }

    private static PoolConfig Config(IEnumerable<int> endpoints, string profile) =>
        PoolFixture.Config(endpoints) with { Scheduling = new SchedulingConfig { Profile = profile } };

    private static PoolFixture Pool(int endpoints, string profile = ProfileNames.Mesh) => new(Config(Enumerable.Range(0, endpoints), profile));

    private static void Fail(PoolFixture pool, int endpoint, int times, OutcomeKind kind = OutcomeKind.ServerError)
    {
        for (var i = 0; i < times; i++) pool.Complete(To(pool, endpoint), kind);
    }

    // A stream that ends before its first byte leaves no predicted work behind.
    private static RouteDecision To(PoolFixture pool, int endpoint) =>
        pool.Route(pool.Request(subset: [PoolFixture.Id(endpoint)]) with { IsStreaming = true });

    private static EndpointId Round(PoolFixture pool, ulong affinity = 0)
    {
        var decision = pool.Route(pool.Request() with { AffinityKey = affinity, IsStreaming = true });
        pool.Complete(decision);
        return decision.Endpoint;
    }
}
