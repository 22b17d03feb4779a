using System.Collections.Immutable;

namespace Mesh.Cli.Planning;

/// <summary>
/// Finds the smallest number of endpoints that reaches a share of good requests with every seed. The first seed finds the place: numbers
/// are doubled until one reaches the share, then halved in between. The other seeds verify it: upward while one of them falls short, then
/// downward while one endpoint less would do, for a bisection takes for granted that more is never worse. Every number is played once.
/// </summary>
/// <param name="play">Share of good requests, 0–1, of a number of endpoints with a seed.</param>
/// <param name="target">Share to reach, 0–1.</param>
/// <param name="most">Endpoints at most.</param>
/// <param name="seeds">Seeds, at least one.</param>
internal sealed class FleetSearch(Func<int, ulong, double> play, double target, int most, ImmutableArray<ulong> seeds)
{
    private readonly SortedDictionary<int, List<double>> _shares = [];

    /// <summary>Runs so far.</summary>
    public int Runs { get; private set; }

    /// <summary>Searches. Bounded: at most twice log2 of the most endpoints for the place, and at most that number of steps for the verification.</summary>
    public SearchResult Find()
    {
        var (low, high) = Bracket();
        if (high is null) return new SearchResult(null, AsPlayed(most), null, Tried());
        while (high - low > 1)
        {
            var middle = low + ((high.Value - low) / 2);
            if (ReachesOnce(middle)) high = middle;
            else low = middle;
        }

        var found = high.Value;
        while (!ReachesAlways(found))
        {
            if (++found > most) return new SearchResult(null, AsPlayed(most), null, Tried());
        }

        while (found > 1 && ReachesAlways(found - 1)) found--;
        return new SearchResult(found, At(found), found > 1 ? At(found - 1) : null, Tried());
    }

    // A number that falls short, 0 being none, and one that reaches the share; null when none does.
    private (int Low, int? High) Bracket()
    {
        var low = 0;
        for (var next = 1; ; next = Math.Min(most, next * 2))
        {
            if (ReachesOnce(next)) return (low, next);
            if (next == most) return (low, null);
            low = next;
        }
    }

    private bool ReachesOnce(int endpoints) => Share(endpoints, 0) >= target;

    private bool ReachesAlways(int endpoints)
    {
        for (var i = 0; i < seeds.Length; i++)
        {
            if (Share(endpoints, i) < target) return false;
        }

        return true;
    }

    private double Share(int endpoints, int seed)
    {
        if (!_shares.TryGetValue(endpoints, out var shares)) _shares.Add(endpoints, shares = []);
        while (shares.Count <= seed)
        {
            shares.Add(play(endpoints, seeds[shares.Count]));
            Runs++;
        }

        return shares[seed];
    }

    // What is found is played with every seed.
    private SearchPoint At(int endpoints)
    {
        Share(endpoints, seeds.Length - 1);
        return new SearchPoint(endpoints, [.. _shares[endpoints]], target);
    }

    // One seed that falls short is enough to say no.
    private SearchPoint AsPlayed(int endpoints) => new(endpoints, [.. _shares[endpoints]], target);

    private ImmutableArray<SearchPoint> Tried() => [.. _shares.Select(s => new SearchPoint(s.Key, [.. s.Value], target))];
}

/// <summary>What a search has found.</summary>
/// <param name="Endpoints">Smallest number that reaches the share with every seed; null when none up to the limit does.</param>
/// <param name="At">That number, else the limit.</param>
/// <param name="OneLess">One endpoint less; null for none, or where none does.</param>
/// <param name="Tried">Every number that was played, rising.</param>
internal sealed record SearchResult(int? Endpoints, SearchPoint At, SearchPoint? OneLess, ImmutableArray<SearchPoint> Tried);

/// <summary>One number of endpoints.</summary>
/// <param name="Endpoints">The number.</param>
/// <param name="GoodputShares">Share of good requests by seed, 0–1.</param>
/// <param name="Target">Share to reach.</param>
internal sealed record SearchPoint(int Endpoints, ImmutableArray<double> GoodputShares, double Target)
{
    /// <summary>The worst seed's share.</summary>
    public double Worst => GoodputShares.Min();

    /// <summary>By how much the worst seed is above the target; negative below it.</summary>
    public double Margin => Worst - Target;
}
