using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Core.Tests.Health;

public sealed class HealthTrackerTests
{
    [Theory]
    [InlineData("++", 2, 2, "UH")]
    [InlineData("+-+-", 2, 2, "UUUU")]
    [InlineData("--", 2, 2, "UX")]
    [InlineData("++-+--+-++", 2, 2, "UHHHHXXXXH")]
    [InlineData("+-+", 1, 1, "HXH")]
    [InlineData("+++---", 3, 3, "UUHHHX")]
    public void Observe_Results_MoveTheVerdictAtTheThresholds(string results, int healthy, int unhealthy, string verdicts)
    {
        var tracker = new HealthTracker();

        var seen = results.Select(r => tracker.Observe(r == '+', healthy, unhealthy) switch
        {
            EndpointHealth.Healthy => 'H',
            EndpointHealth.Unhealthy => 'X',
            _ => 'U',
        });

        Assert.Equal(verdicts, string.Concat(seen));
    }

    [Fact]
    public void Apply_ProbeOlderThanTheLast_ChangesNothing()
    {
        var pool = new PoolFixture(1);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Probe(0, success: false);

        var late = pool.State.Apply(new ProbeResult(PoolFixture.Id(0), 0, Success: false));

        Assert.False(late.Changed);
        Assert.True(pool.Probe(0, success: false) is { Changed: true, After: EndpointHealth.Unhealthy });
    }

    [Fact]
    public void Factor_HalfLives_IsExactAtPowersOfTwoAndStraightBetween()
    {
        double[] factors = [.. new long[] { 100, 95, 90, 80, 0, -200 }.Select(since => new Decay(100, 10).Factor(since))];

        Assert.Equal([1, 0.75, 0.5, 0.25, 1d / 1024, 0], factors);
    }
}
