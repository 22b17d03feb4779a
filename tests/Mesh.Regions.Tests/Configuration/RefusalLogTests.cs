using Mesh.Gateway.Federation;
using Mesh.Testing;

namespace Mesh.Regions.Tests.Configuration;

public sealed class RefusalLogTests
{
    [Fact]
    public void IsNew_SameReasonAgain_IsToldOnceUntilItChangesOrIsForgotten()
    {
        var time = new ManualTimeProvider();
        var log = new RefusalLog(time);
        Assert.True(log.IsNew("a", "wrong secret"));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(log.IsNew("a", "wrong secret"));
        Assert.True(log.IsNew("a", "wrong name"));
        time.Advance(TimeSpan.FromSeconds(2));
        log.Forget("a");
        Assert.True(log.IsNew("a", "wrong name"));
    }

    [Fact]
    public void IsNew_ManyInventedNames_OneASecondAtMost()
    {
        var time = new ManualTimeProvider();
        var log = new RefusalLog(time);
        var told = 0;
        for (var i = 0; i < 1000; i++)
        {
            if (log.IsNew($"name-{i}", "no peer")) told++;
            time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal(10, told);
    }
}
