using Mesh.Core.Endpoints;
using Mesh.Engine.Probing;

namespace Mesh.Engine.Tests.Probing;

public sealed class ProbeScheduleTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    [Fact]
    public void Next_NeverHealthy_IsQuickThoughUnhealthy_AndNotOnceItWasHealthy()
    {
        var schedule = new ProbeSchedule(Ms(200), 25, phase: 0);

        Assert.Equal(Ms(200), schedule.Next(Interval, Ms(0), EndpointHealth.Unhealthy, false));
        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, true));
        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Unhealthy, false));
    }

    [Fact]
    public void Next_IntervalBelowTheQuickOne_IsTheQuickOne()
    {
        var schedule = new ProbeSchedule(Ms(200), 0, phase: 0);

        Assert.Equal(Ms(200), schedule.Next(TimeSpan.Zero, Ms(0), EndpointHealth.Healthy, true));
    }

    [Fact]
    public void Next_NoVerdictYet_IsQuickABoundedNumberOfTimes()
    {
        var schedule = new ProbeSchedule(Ms(200), quickLimit: 2, phase: 0.5);

        Assert.Equal(Ms(190), schedule.Next(Interval, Ms(10), EndpointHealth.Unknown, true));
        Assert.Equal(Ms(0), schedule.Next(Interval, Ms(900), EndpointHealth.Unknown, false));
        Assert.Equal(Ms(3740), schedule.Next(Interval, Ms(10), EndpointHealth.Unknown, false));
        Assert.Equal(Ms(4990), schedule.Next(Interval, Ms(10), EndpointHealth.Unknown, false));
    }

    [Fact]
    public void Next_Verdict_IsTheIntervalFromTheStartOfTheLastProbe()
    {
        var schedule = new ProbeSchedule(Ms(200), 25, phase: 0);

        Assert.Equal(Ms(4900), schedule.Next(Interval, Ms(100), EndpointHealth.Healthy, true));
        Assert.Equal(Ms(0), schedule.Next(Interval, Ms(5000), EndpointHealth.Healthy, false));
        Assert.Equal(Ms(5000), schedule.Next(Interval, Ms(0), EndpointHealth.Unhealthy, true));
    }

    [Fact]
    public void Next_Suspected_IsQuickUntilTheVerdictFalls()
    {
        var schedule = new ProbeSchedule(Ms(200), 25, phase: 0);
        schedule.Suspect();

        Assert.Equal(Ms(200), schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, false));
        Assert.Equal(Ms(200), schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, false));
        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Unhealthy, false));
        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, false));
    }

    [Fact]
    public void Next_SuspectedButTheProbeSucceeds_GoesBackToTheInterval()
    {
        var schedule = new ProbeSchedule(Ms(200), 25, phase: 0);
        schedule.Suspect();

        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, true));
        Assert.Equal(Interval, schedule.Next(Interval, Ms(0), EndpointHealth.Healthy, false));
    }

    [Fact]
    public void Extra_SoonAfterTheLastProbe_WaitsForTheRestOfTheQuickInterval()
    {
        var schedule = new ProbeSchedule(Ms(200), 25, phase: 0);

        Assert.Equal((Ms(150), Ms(0)), (schedule.Extra(Ms(50)), schedule.Extra(Ms(3000))));
    }

    private static TimeSpan Ms(int value) => TimeSpan.FromMilliseconds(value);
}
