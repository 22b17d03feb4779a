using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.StepTimes;
using Mesh.Core.Tests.Routing;

namespace Mesh.Core.Tests.Scheduling;

public sealed class ReportedSpeedTests
{
    private static readonly WorkCurve Curve = new(H100Llama8B.Table);
    // Of prompts of 2,048 tokens.
    private static readonly double PerTokenSeconds = Curve.ChunkMs / WorkCurve.ChunkTokens / 1000;

    [Theory]
    [InlineData(1, 0, 0, 1)]
    [InlineData(3, 0, 0, 3)]
    [InlineData(0.5, 1000, 500, 1)]
    public void OfPrefill_MeanPerToken_OverTheTablesForWhatWasComputed(double slowness, double queried, double hits, double expected)
    {
        var sample = Sample() with
        {
            MeanPrefillSecondsPerToken = slowness * PerTokenSeconds, PrefillObservations = 100, PrefixCacheQueriedTokens = queried, PrefixCacheHitTokens = hits,
        };
        Assert.Equal(expected, ReportedSpeed.OfPrefill(sample, Curve)!.Value, 0.05);
    }

    [Fact]
    public void OfPrefill_FewObservations_IsUnknown()
    {
        Assert.Null(ReportedSpeed.OfPrefill(Sample() with { MeanPrefillSecondsPerToken = PerTokenSeconds, PrefillObservations = 31 }, Curve));
        Assert.Null(ReportedSpeed.OfPrefill(Sample(), Curve));
        Assert.Null(ReportedSpeed.OfPrefill(Sample() with { MeanPrefillSecondsPerToken = 0.001, PrefillObservations = 100, MeanPromptTokens = 10 }, Curve));
    }

    [Fact]
    public void OfDecode_MeanPause_OverTheTablesForTheBatchThatRuns()
    {
        var sample = Sample() with
        {
            MeanInterTokenSeconds = 2 * Curve.DecodeMs(16, 32_000) / 1000, InterTokenObservations = 5000,
            RunningRequests = 16, KvUtilizationRatio = 0.32, KvCapacityTokens = 100_000,
        };
        Assert.Equal(2, ReportedSpeed.OfDecode(sample, Curve)!.Value, 6);
        Assert.Null(ReportedSpeed.OfDecode(sample with { RunningRequests = 0 }, Curve));
        Assert.Null(ReportedSpeed.OfDecode(sample with { KvCapacityTokens = null }, Curve));
    }

    [Fact]
    public void Apply_EnginesTellTheirSpeed_IsTheStartingPointOnly()
    {
        var pool = new PoolFixture(MeshWorld.Config(1));
        var sample = Sample() with { MeanPrefillSecondsPerToken = 4 * PerTokenSeconds, PrefillObservations = 100, Timestamp = pool.Time.GetTimestamp() };
        pool.State.Apply(sample);
        Assert.Equal(4, pool.Endpoint(0).PrefillSpeedRatio, 6);

        for (var i = 0; i < 60; i++)
        {
            var decision = pool.State.Route(pool.Request(prompt: 4096) with { IsStreaming = true });
            pool.Time.Advance(TimeSpan.FromMilliseconds(Curve.PromptMs(4096, 0)));
            pool.State.ReportFirstByte(decision.Lease);
            pool.Complete(decision);
            pool.State.Apply(sample with { Timestamp = pool.Time.GetTimestamp() });
        }
        Assert.InRange(pool.Endpoint(0).PrefillSpeedRatio, 0.8, 1.25);
    }

    private static EndpointSample Sample() => new() { Endpoint = PoolFixture.Id(0), Timestamp = 0, MeanPromptTokens = 2048 };
}
