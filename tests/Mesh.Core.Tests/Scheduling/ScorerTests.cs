using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Metrics;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Pickers;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Scorers;

namespace Mesh.Core.Tests.Scheduling;

public sealed class ScorerTests
{
    private const long Now = 1000;
    private static readonly BackendConfig Backend = PoolFixture.Config(1).Backends[0];

    [Fact]
    public void InFlightRequests_Counts_ScoreRelativeToTheLeast()
    {
        Assert.Equal([0.5, 1, 0.25], Score(new InFlightRequestsScorer(), WithRequests(3, 0), WithRequests(1, 0), WithRequests(7, 0)));
        Assert.Equal([1, 1], Score(new InFlightRequestsScorer(), WithRequests(5, 0), WithRequests(5, 0)));
    }

    [Fact]
    public void InFlightRequests_OneOutlier_DoesNotBlurTheOthers()
    {
        var scores = Score(new InFlightRequestsScorer(), WithRequests(0, 0), WithRequests(1, 0), WithRequests(999, 0));

        Assert.Equal([1, 0.5, 0.001], scores);
    }

    [Fact]
    public void InFlightTokens_Counts_ScoreRelativeToTheLeast()
    {
        Assert.Equal([1, 0.5], Score(new InFlightTokensScorer(), WithRequests(0, 0), WithRequests(1, 1024)));
    }

    [Fact]
    public void InFlight_Failures_AddTheirDecayedWeight()
    {
        var failed = WithRequests(0, 0);
        failed.AddFailure(4, new LeaseLoad(1000, 24), new Decay(Now - 10, 10));

        // Half of 4 requests, and half of 4 × 1024 tokens.
        Assert.Equal([1 / 3d, 1], Score(new InFlightRequestsScorer(), failed, WithRequests(0, 0)));
        Assert.Equal([1 / 3d, 1], Score(new InFlightTokensScorer(), failed, WithRequests(0, 0)));
    }

    [Fact]
    public void KvUtilization_UnknownAndStale_TakeTheMeanOfTheKnown()
    {
        var scores = Score(new KvUtilizationScorer(), WithSample(0.25, 0), WithSample(0.75, 0), WithSample(null, 0), WithSample(1, 101), WithRequests(0, 0));

        Assert.Equal([0.75, 0.25, 0.5, 0.5, 0.5], scores);
    }

    [Fact]
    public void KvUtilization_NobodyKnown_ScoresAllAlike()
    {
        Assert.Equal([1, 1], Score(new KvUtilizationScorer(), WithSample(0.3, 101), WithRequests(0, 0)));
    }

    [Fact]
    public void WaitingQueue_Samples_ScoreRelativeToTheLeast()
    {
        Assert.Equal([1, 0.5, 0.75], Score(new WaitingQueueScorer(), WithSample(0, 0, 1), WithSample(0, 100, 3), WithSample(0, 0)));
    }

    [Fact]
    public void MaxScore_Ties_AreSpreadAndNothingElseIsPicked()
    {
        const ulong Seed = 7;
        var random = new Xoshiro256(Seed);
        double[] scores = [1, 3, 2, 3, 3];
        var counts = new int[5];

        for (var i = 0; i < 3000; i++) counts[new MaxScorePicker().Pick(default, new EndpointState[5], scores, random)]++;

        Assert.Equal((0, 0), (counts[0], counts[2]));
        Assert.All(new[] { counts[1], counts[3], counts[4] }, n => Assert.True(n is > 870 and < 1130, $"seed {Seed}: {n}"));
    }

    private static CostTable OneRow()
    {
        var costs = new CostTable();
        costs.Reset(0);
        return costs;
    }

    private static EndpointState WithRequests(int requests, int tokens)
    {
        var endpoint = new EndpointState(PoolFixture.Id(0), OneRow(), 0) { Backend = Backend, PodName = "pod" };
        for (var i = 0; i < requests; i++) endpoint.Reserve(new LeaseLoad(tokens, 0));
        return endpoint;
    }

    private static EndpointState WithSample(double? kv, long age, int? waiting = null)
    {
        var endpoint = WithRequests(0, 0);
        endpoint.Observe(new EndpointSample { Endpoint = endpoint.Id, Timestamp = Now - age, KvUtilizationRatio = kv, WaitingRequests = waiting });
        return endpoint;
    }

    private static double[] Score(IEndpointScorer scorer, params EndpointState[] candidates)
    {
        var request = new RouteRequest { RequestId = "r", Pool = PoolFixture.PoolName, Session = PoolFixture.Session, FairnessId = "" };
        var context = new SchedulingContext(
            in request, null, new EndpointTable(new ModelCatalog()), new SampleFreshness(Now, 100), new Decay(Now, 10));
        var scores = new double[candidates.Length];
        scorer.Score(in context, candidates, scores);
        return scores;
    }
}
