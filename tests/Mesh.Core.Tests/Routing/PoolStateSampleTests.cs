using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Tests.Routing;

/// <summary>How long a sample counts for a backend's fullness: from when it was read, whatever happens in between.</summary>
public sealed class PoolStateSampleTests
{
    private static readonly BackendSettings Kv = new()
    {
        Mode = BalancingMode.CustomMetrics,
        CustomMetrics = [new CustomMetricTarget("kv-cache", 0.5, DryRun: false)],
    };

    [Fact]
    public void Apply_SampleOlderThanItMayBe_IsUnknown()
    {
        var pool = Pool(1);

        Sample(pool, 0, 0.9, age: TimeSpan.FromMilliseconds(1001));

        Assert.Null(Backend(pool).Utilizations[0]);
        Assert.Null(Backend(pool).Fullness);
    }

    [Fact]
    public void Tick_SampleReadASecondAgo_GoesStaleFromItsReadingNotItsArrival()
    {
        var pool = Pool(1);
        Sample(pool, 0, 0.9, age: TimeSpan.FromMilliseconds(600));

        var next = pool.State.Tick()!.Value;
        Assert.Equal(400, next.TotalMilliseconds, 0.001);
        pool.Time.Advance(next);
        pool.State.Tick();

        Assert.Null(Backend(pool).Utilizations[0]);
    }

    [Fact]
    public void Reconfigure_AgainAndAgain_DoesNotMakeASampleYounger()
    {
        var pool = Pool(1);
        Sample(pool, 0, 0.9);
        for (var i = 0; i < 4; i++)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(300));
            pool.State.Reconfigure(Config(1));
            pool.State.Tick();
        }

        Assert.Null(Backend(pool).Utilizations[0]);
    }

    [Fact]
    public void Reconfigure_RequestsSinceTheSample_StillCount()
    {
        var pool = Pool(1);
        for (var i = 0; i < 10; i++) pool.Route();
        Sample(pool, 0, 0.2);
        for (var i = 0; i < 10; i++) pool.Route();
        Assert.Equal(0.4, Backend(pool).Utilizations[0]!.Value, 1e-9);

        pool.State.Reconfigure(Config(1));

        Assert.Equal(0.4, Backend(pool).Utilizations[0]!.Value, 1e-9);
    }

    [Fact]
    public void Route_MetricUnknown_GoesByWhatRequestsCostBefore()
    {
        var pool = new PoolFixture(Config(1) with { FlowControl = new() { WhenFull = WhenFull.Shed } });
        var ten = Enumerable.Range(0, 10).Select(_ => pool.Route()).ToArray();
        Sample(pool, 0, 0.4);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1001));
        pool.State.Tick();

        // 0.04 each: the target of 0.5 is reached with 12 or 13.
        var more = Enumerable.Range(0, 10).Count(_ => pool.Route().Kind == RouteKind.Send);

        Assert.Equal(3, more);
        Assert.Equal(10, ten.Length);
        Assert.Null(Backend(pool).Fullness);
    }

    [Fact]
    public void Sample_WithoutTheMetric_MakesItUnknown()
    {
        var pool = Pool(2);
        Sample(pool, 0, 0.4);
        Sample(pool, 1, 0.2);
        Assert.Equal(0.3, Backend(pool).Utilizations[0]!.Value, 1e-9);

        pool.Sample(0, kv: 0.9);
        Assert.Equal(0.2, Backend(pool).Utilizations[0]!.Value, 1e-9);
        pool.Sample(1, kv: 0.9);

        Assert.Null(Backend(pool).Utilizations[0]);
    }

    [Theory]
    [InlineData(300)]
    [InlineData(6000)]
    public void Tick_SampleWithALimitOfItsOwn_GoesStaleByIt(int maxAgeMs)
    {
        var pool = Pool(1);
        Sample(pool, 0, 0.9, maxAge: TimeSpan.FromMilliseconds(maxAgeMs));

        pool.Time.Advance(TimeSpan.FromMilliseconds(maxAgeMs));
        var next = pool.State.Tick();
        Assert.Equal(0.9, Backend(pool).Utilizations[0]!.Value, 1e-9);
        pool.State.Reconfigure(Config(1));
        pool.Time.Advance(next!.Value);
        pool.State.Tick();

        Assert.Equal(TimeSpan.FromTicks(1), next);
        Assert.Null(Backend(pool).Utilizations[0]);
    }

    [Fact]
    public void Apply_SampleOlderThanItsOwnLimit_IsUnknown()
    {
        var pool = Pool(1);

        Sample(pool, 0, 0.9, age: TimeSpan.FromMilliseconds(301), maxAge: TimeSpan.FromMilliseconds(300));

        Assert.Null(Backend(pool).Utilizations[0]);
    }

    private static PoolConfig Config(int endpoints)
    {
        var plain = PoolFixture.Config(endpoints);
        return plain with { Backends = [plain.Backends[0] with { Settings = Kv }] };
    }

    private static PoolFixture Pool(int endpoints)
    {
        var pool = new PoolFixture(Config(endpoints));
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        return pool;
    }

    private static void Sample(PoolFixture pool, int endpoint, double kv, TimeSpan age = default, TimeSpan? maxAge = null) => Assert.True(pool.State.Apply(new EndpointSample
    {
        Endpoint = PoolFixture.Id(endpoint),
        Timestamp = pool.Time.GetTimestamp() - age.Ticks,
        MaxAge = maxAge,
        NamedMetrics = ImmutableSortedDictionary<string, double>.Empty.Add("kv-cache", kv),
    }));

    private static BackendSnapshot Backend(PoolFixture pool) => pool.State.Snapshot().Backends[0];
}
