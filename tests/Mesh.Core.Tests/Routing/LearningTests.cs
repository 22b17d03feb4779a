using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.StepTimes;

namespace Mesh.Core.Tests.Routing;

/// <summary>What the usage block at the end of an answer teaches.</summary>
public sealed class LearningTests
{
    private static readonly double StepMs = H100Llama8B.Table.DecodeMs(1, 150);

    [Fact]
    public void Complete_OneEndpointDecodesAtHalfSpeed_IsLearnedAndGetsLess()
    {
        var pool = new PoolFixture(MeshWorld.Config(4));
        for (var round = 0; round < 400; round++) Stream(pool, round % 4, round % 4 == 0 ? 2 : 1);

        Assert.InRange(pool.Endpoint(0).DecodeSpeedRatio, 1.7, 2.4);
        Assert.InRange(pool.Endpoint(1).DecodeSpeedRatio, 0.85, 1.2);
        var predictions = pool.State.Snapshot().OutputTokenPredictions;
        Assert.Equal(400, predictions.Count);
        Assert.True(predictions.AbsoluteErrorMs < 0.2 * predictions.ObservedMs);

        for (var i = 0; i < 40; i++) pool.State.ReportFirstByte(pool.Route(pool.Request() with { IsStreaming = true }).Lease);
        Assert.True(pool.Endpoint(0).InFlightRequests <= 5, $"{pool.Endpoint(0).InFlightRequests} of 40 at the slow one");
    }

    [Fact]
    public void Complete_PassingSlowness_DoesNotMoveWork()
    {
        var pool = new PoolFixture(MeshWorld.Config(2));
        for (var round = 0; round < 100; round++) Stream(pool, round % 2, round % 2 == 0 ? 1.2 : 1);
        for (var i = 0; i < 40; i++) pool.State.ReportFirstByte(pool.Route(pool.Request() with { IsStreaming = true }).Lease);
        Assert.InRange(pool.Endpoint(0).InFlightRequests, 18, 22);
    }

    [Fact]
    public void Complete_StreamsThatBeganBeforeTheSlownessWasBelieved_AreNotTakenForSlowerStill()
    {
        const int Streams = 40;
        const int Tokens = 400;
        const int Prompt = 100;
        const double Slowness = 1.6;
        var pool = new PoolFixture(MeshWorld.Config(1));
        var stepMs = Slowness * H100Llama8B.Table.DecodeMs(Streams, Prompt + new PoolStateOptions().AssumedOutputTokens);
        var open = new Queue<RouteDecision>();
        var (least, most) = (double.PositiveInfinity, 0.0);
        for (var ended = 0; ended < 20 * Streams;)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(stepMs * Tokens / Streams));
            if (open.Count == Streams)
            {
                pool.State.Complete(open.Dequeue().Lease, new RequestOutcome(OutcomeKind.Success, Prompt, 0, Tokens));
                ended++;
            }

            var decision = pool.State.Route(pool.Request(prompt: Prompt) with { IsStreaming = true });
            pool.State.ReportFirstByte(decision.Lease);
            open.Enqueue(decision);
            if (ended < Streams) continue;
            var ratio = pool.Endpoint(0).DecodeSpeedRatio;
            (least, most) = (Math.Min(least, ratio), Math.Max(most, ratio));
        }

        Assert.True(least >= 1.3 && most <= 2.2, $"{Slowness} times as slow was taken for {least:F2} to {most:F2}");
    }

    [Fact]
    public void Complete_WholeAnswerCameEarly_TheEndpointIsFreeAtOnce()
    {
        var pool = new PoolFixture(MeshWorld.Config(1));
        for (var i = 0; i < 1000; i++)
        {
            // A second of work by the table, and no time at all in fact.
            var decision = pool.State.Route(pool.Request(prompt: 20_000));
            Assert.Equal(RouteKind.Send, decision.Kind);
            pool.Complete(decision);
            Assert.Equal(0, pool.Endpoint(0).PredictedWaitMs);
        }

        var first = pool.State.Route(pool.Request(prompt: 20_000));
        var second = pool.State.Route(pool.Request(prompt: 20_000));
        Assert.Equal((RouteKind.Send, RouteKind.Wait), (first.Kind, second.Kind));
        pool.Complete(first);
        Assert.True(pool.State.TryTakeDecided(out _, out var decided));
        pool.Complete(decided);
        Assert.Equal(0, pool.Endpoint(0).PredictedWaitMs);
    }

    [Fact]
    public void Route_PromptDoesNotFitBesideTheStreams_GoesWhereThereIsRoom()
    {
        var pool = new PoolFixture(MeshWorld.Config(2));
        for (var i = 0; i < 2; i++)
        {
            pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(i), Timestamp = pool.Time.GetTimestamp(), KvCapacityTokens = i == 0 ? 20_000 : 200_000 });
        }
        // A few streams each: at the same cost but for the room that is left.
        for (var i = 0; i < 8; i++)
        {
            var stream = pool.State.Route(pool.Request(prompt: 1000, subset: [PoolFixture.Id(i % 2)]) with { IsStreaming = true });
            pool.Time.Advance(TimeSpan.FromMilliseconds(100));
            pool.State.ReportFirstByte(stream.Lease);
        }

        Assert.Equal(PoolFixture.Id(1), pool.State.Route(pool.Request(prompt: 40_000) with { IsStreaming = true }).Endpoint);
    }

    [Fact]
    public void Route_OthersFillTheCache_TheSampleCounts()
    {
        var pool = new PoolFixture(MeshWorld.Config(2));
        for (var i = 0; i < 2; i++)
        {
            pool.State.Apply(new EndpointSample
            {
                Endpoint = PoolFixture.Id(i), Timestamp = pool.Time.GetTimestamp(), KvCapacityTokens = 100_000, KvUtilizationRatio = i == 0 ? 0.9 : 0.1,
            });
            pool.State.ReportFirstByte(pool.State.Route(pool.Request(subset: [PoolFixture.Id(i)]) with { IsStreaming = true }).Lease);
        }
        pool.Time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(PoolFixture.Id(1), pool.State.Route(pool.Request(prompt: 40_000) with { IsStreaming = true }).Endpoint);
    }

    private static void Stream(PoolFixture pool, int endpoint, double slowness)
    {
        var decision = pool.State.Route(pool.Request(subset: [PoolFixture.Id(endpoint)]) with { IsStreaming = true });
        pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        pool.State.ReportFirstByte(decision.Lease);
        pool.Time.Advance(TimeSpan.FromMilliseconds(slowness * StepMs * 99));
        pool.State.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success, 100, null, 100));
    }
}
