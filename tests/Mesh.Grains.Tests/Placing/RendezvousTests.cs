using System.Net;
using Mesh.Grains.Placing;

namespace Mesh.Grains.Tests;

public sealed class RendezvousTests
{
    private static readonly SiloAddress[] Silos = [.. Enumerable.Range(1, 4).Select(i => SiloAddress.New(IPAddress.Loopback, 11110 + i, 1000 + i))];

    [Fact]
    public void Choose_ManyNames_SpreadEvenly()
    {
        var counts = Names(4000).GroupBy(n => Rendezvous.Choose(n, Silos)).Select(g => g.Count()).ToArray();

        Assert.Equal(4, counts.Length);
        Assert.All(counts, c => Assert.InRange(c, 900, 1100));
    }

    [Fact]
    public void Choose_OrderOfTheSilos_DoesNotMatter() =>
        Assert.All(Names(100), n => Assert.Equal(Rendezvous.Choose(n, Silos), Rendezvous.Choose(n, [.. Silos.Reverse()])));

    [Fact]
    public void Choose_SiloGone_MovesItsOwnNamesAlone()
    {
        var left = Silos[1..];

        foreach (var name in Names(1000))
        {
            var before = Rendezvous.Choose(name, Silos);
            if (!before.Equals(Silos[0])) Assert.Equal(before, Rendezvous.Choose(name, left));
        }
    }

    private static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(i => $"mesh.endpoint/10.0.{i / 250}.{i % 250}:8000");
}
