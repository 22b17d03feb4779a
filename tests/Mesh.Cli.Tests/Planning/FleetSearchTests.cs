using Mesh.Cli.Planning;

namespace Mesh.Cli.Tests.Planning;

public sealed class FleetSearchTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100)]
    public void Find_RisingShares_FindsTheFirstThatReaches(int first)
    {
        var search = new FleetSearch((n, _) => n >= first ? 0.96 : 0.5, 0.95, 100, [1, 2, 3]);
        var found = search.Find();
        Assert.Equal(first, found.Endpoints);
        Assert.Equal(0.01, found.At.Margin, 9);
        Assert.Equal(first == 1 ? null : first - 1, found.OneLess?.Endpoints);
        if (found.OneLess is { } less) Assert.Equal(-0.45, less.Margin, 9);
        Assert.InRange(search.Runs, 3, 30);
    }

    [Fact]
    public void Find_AnotherSeedFallsShort_GoesUp()
    {
        var found = new FleetSearch((n, seed) => n >= (seed == 2 ? 6 : 4) ? 1 : 0, 0.95, 16, [1, 2]).Find();
        Assert.Equal(6, found.Endpoints);
        Assert.Equal((1.0, 0.0), (found.OneLess!.GoodputShares[0], found.OneLess.GoodputShares[1]));
    }

    [Fact]
    public void Find_SharesThatAreNotRising_GoesDownAgain()
    {
        // The halving meets the dip at 5 and goes on above it; one less than what it finds would do.
        var found = new FleetSearch((n, _) => n is 5 || n < 4 ? 0 : 1, 0.95, 16, [1]).Find();
        Assert.Equal(4, found.Endpoints);
        found = new FleetSearch((n, _) => n is 6 or 5 or 8 ? 1 : n > 8 ? 1 : 0, 0.95, 16, [1]).Find();
        Assert.Equal(5, found.Endpoints);
    }

    [Fact]
    public void Find_NoneReaches_TellsOfTheLimit()
    {
        var search = new FleetSearch((n, _) => n / 100.0, 0.95, 10, [1, 2]);
        var found = search.Find();
        Assert.Null(found.Endpoints);
        Assert.Equal((10, 0.10), (found.At.Endpoints, Math.Round(found.At.Worst, 9)));
        Assert.Null(found.OneLess);
        // The largest fleets cost most: what cannot change the answer is not played.
        Assert.Equal([1, 2, 4, 8, 10], found.Tried.Select(t => t.Endpoints));
        Assert.Equal(5, search.Runs);
    }
}
