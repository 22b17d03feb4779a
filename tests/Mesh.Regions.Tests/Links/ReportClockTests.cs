using Mesh.Engine.Federation;
using Mesh.Testing;

namespace Mesh.Regions.Tests.Links;

public sealed class ReportClockTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly List<double> _calls = [];

    [Fact]
    public async Task Start_NothingHappens_CallsAtEveryInterval()
    {
        await using var clock = Clock(() => { });
        clock.Start();
        _time.Advance(TimeSpan.FromMilliseconds(350));
        Assert.Equal([100, 200, 300], _calls);
    }

    [Fact]
    public async Task Wake_LongAfterACall_CallsAtOnceAndAnIntervalLater()
    {
        await using var clock = Clock(() => { });
        clock.Start();
        _time.Advance(TimeSpan.FromMilliseconds(150));
        clock.Wake();
        _time.Advance(TimeSpan.FromMilliseconds(120));
        Assert.Equal([100, 150, 250], _calls);
    }

    [Fact]
    public async Task Wake_AStorm_CallsNoMoreOftenThanTheLeastInterval()
    {
        await using var clock = Clock(() => { });
        clock.Start();
        for (var i = 0; i < 50; i++)
        {
            clock.Wake();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal([10, 20, 30, 40, 50], _calls);
    }

    [Fact]
    public async Task Wake_DuringACall_IsNotForgotten()
    {
        ReportClock? clock = null;
        var isFirst = true;
        await using var own = clock = Clock(() =>
        {
            if (isFirst) clock!.Wake();
            isFirst = false;
        });
        clock.Start();
        _time.Advance(TimeSpan.FromMilliseconds(220));
        Assert.Equal([100, 110, 210], _calls);
    }

    [Fact]
    public async Task Dispose_Running_CallsNoMore()
    {
        var clock = Clock(() => { });
        clock.Start();
        await clock.DisposeAsync();
        clock.Wake();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_calls);
    }

    private ReportClock Clock(Action during) => new(_time, Interval, Least, _ =>
    {
        _calls.Add(_time.GetElapsedTime(0).TotalMilliseconds);
        during();
    });
}
