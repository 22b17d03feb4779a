using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling;

public class StreamSlackTests
{
    private const double TargetMs = 50;
    private const double StepMs = 40;

    // After 100 steps of 40 ms a stream has 101 tokens: 50 · 111 − (4,000 + 10 · 40) = 1,150 ms are left to it.
    [Theory]
    [InlineData(0, 1100, 0)]
    [InlineData(0, 1200, 1)]
    [InlineData(1100, 100, 1)]
    [InlineData(1200, 100, 0)]
    public void PushedOver_OneStream_CountsItOnlyIfThePromptTakesItsSlack(double waitMs, double ownMs, int pushed)
    {
        var slack = new StreamSlack();
        slack.Add(TargetMs, nowMs: 0);
        slack.Advance(StepMs, StepMs, nowMs: 4000);

        Assert.Equal(pushed, slack.PushedOver(TargetMs, waitMs, ownMs, promptSteps: 0, StepMs, nowMs: 4000));
    }

    [Fact]
    public void PushedOver_StreamsOfDifferentAges_CountsThoseWithinReach()
    {
        var slack = new StreamSlack();
        var oldest = slack.Add(TargetMs, nowMs: 0);
        slack.Advance(StepMs, StepMs, nowMs: 2000);
        slack.Add(TargetMs, nowMs: 2000);
        slack.Advance(StepMs, StepMs, nowMs: 4000);

        // 1,150 ms are left to the older, which has saved 10 ms a token for longer, and 650 to the younger.
        Assert.Equal(0, slack.PushedOver(TargetMs, 0, 600, 0, StepMs, 4000));
        Assert.Equal(1, slack.PushedOver(TargetMs, 0, 700, 0, StepMs, 4000));
        Assert.Equal(2, slack.PushedOver(TargetMs, 0, 1200, 0, StepMs, 4000));
        slack.Remove(oldest);
        Assert.Equal(1, slack.PushedOver(TargetMs, 0, 1200, 0, StepMs, 4000));
    }

    [Fact]
    public void PushedOver_NoStreams_IsZero() => Assert.Equal(0, new StreamSlack().PushedOver(TargetMs, 0, 1000, 0, StepMs, 0));
}
