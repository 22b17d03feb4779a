using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Pools;

namespace Mesh.Grains.Tests;

public sealed class CallMemoryTests
{
    private static readonly RememberedCall Refused = new(RouteDecision.Refuse(DecisionReason.Saturated), null, null);

    [Fact]
    public void Trim_Settled_ForgetsThoseBelow()
    {
        var memory = Memory();
        for (var i = 1; i <= 4; i++) memory.Remember(i, Refused, TimeSpan.Zero);

        memory.Trim(settled: 3, TimeSpan.Zero);

        Assert.Null(memory.Find(2));
        Assert.NotNull(memory.Find(3));
        Assert.Equal(2, memory.Count);
    }

    [Fact]
    public void Trim_Old_ForgetsAfterTheTimeAndNotBefore()
    {
        var memory = Memory();
        memory.Remember(1, Refused, TimeSpan.Zero);

        memory.Trim(1, TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.Equal(1, memory.Count);
        memory.Trim(1, TimeSpan.FromSeconds(10));
        Assert.Equal(0, memory.Count);
    }

    [Fact]
    public void Trim_TooMany_ForgetsTheOldest()
    {
        var memory = Memory();
        for (var i = 1; i <= 8; i++) memory.Remember(i, Refused, TimeSpan.Zero);

        memory.Trim(1, TimeSpan.Zero);

        Assert.Equal(5, memory.Count);
        Assert.Null(memory.Find(3));
        Assert.NotNull(memory.Find(4));
    }

    [Fact]
    public void Trim_Waiting_IsKeptUntilItIsDecided()
    {
        var memory = Memory();
        var waiting = new TaskCompletionSource<RouteDecision>();
        memory.Remember(1, new RememberedCall(default, waiting.Task, null), TimeSpan.Zero);

        memory.Trim(1, TimeSpan.FromHours(1));
        Assert.Equal(1, memory.Count);

        waiting.SetResult(RouteDecision.Refuse(DecisionReason.QueueTimeout));
        memory.Trim(1, TimeSpan.FromHours(2));
        Assert.Equal(0, memory.Count);
    }

    private static CallMemory Memory() => new(new GatewaySession("g", 1), 1, TimeSpan.FromSeconds(10), maxAnswers: 5);
}
