using Mesh.Zmtp;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public class ReconnectBackoffTests
{
    [Fact]
    public void Next_DoublesWithinItsJitterUpToTheLongest()
    {
        var backoff = new ReconnectBackoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), 7);

        foreach (var whole in (double[])[100, 200, 400, 800, 1000, 1000, 1000]) Assert.InRange(backoff.Next().TotalMilliseconds, whole / 2, whole);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 50, 100);
    }

    [Fact]
    public void Next_AThousandTimes_StaysAtTheLongest()
    {
        var backoff = new ReconnectBackoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), 7);

        for (var i = 0; i < 1000; i++) Assert.InRange(backoff.Next(), TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Next_SameSeedSameWaits_OtherSeedOtherWaits()
    {
        static TimeSpan[] Waits(ulong seed)
        {
            var backoff = new ReconnectBackoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), seed);
            return [backoff.Next(), backoff.Next(), backoff.Next()];
        }

        Assert.Equal(Waits(1), Waits(1));
        Assert.NotEqual(Waits(1), Waits(2));
    }
}
