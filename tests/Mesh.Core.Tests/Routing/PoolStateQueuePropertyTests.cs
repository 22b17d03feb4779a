namespace Mesh.Core.Tests.Routing;

/// <summary>Random operations on a pool in which requests wait, judged one by one; a failure prints its seed.</summary>
public sealed class PoolStateQueuePropertyTests
{
    private const int Flows = 4;

    public static TheoryData<ulong> Seeds => [11, 12, 13, 14, 15, 16, 17, 18];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void RandomOperations_EveryDecisionIsTheRightOne(ulong seed)
    {
        var run = new QueueRun(seed, bindsLate: false);
        for (var i = 0; i < 5000; i++)
        {
            run.Step();
            Assert.True(run.Judge.Violation is null, $"seed {seed}, operation {i}: {run.Judge.Violation}");
        }

        // Each flow of a band goes past another at most once before that one has its turn.
        Assert.True(run.Judge.LongestPassedOver < Flows, $"seed {seed}: a flow was passed over {run.Judge.LongestPassedOver} times");
        Assert.True(
            run.Judge is { SentDirectly: > 500, SentAfterWaiting: > 200, Evicted: > 0 },
            $"seed {seed}: {run.Judge.SentDirectly} sent, {run.Judge.SentAfterWaiting} after waiting, {run.Judge.Evicted} evicted");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void RandomOperations_BindingLate_CountsAddUpAndEveryTicketIsDecidedOnce(ulong seed)
    {
        var run = new QueueRun(seed, bindsLate: true);
        for (var i = 0; i < 5000; i++)
        {
            run.Step();
            Assert.True(run.Judge.Violation is null, $"seed {seed}, operation {i}: {run.Judge.Violation}");
        }

        Assert.True(run.Judge is { SentDirectly: > 200, SentAfterWaiting: > 200 }, $"seed {seed}: {run.Judge.SentDirectly} sent, {run.Judge.SentAfterWaiting} after waiting");
    }
}
