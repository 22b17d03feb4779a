namespace Mesh.Regions.Tests.Support;

/// <summary>
/// Where requests were at every moment, from when each was sent until its answer's end and from the model server that answered: exact, where samples of
/// several processes' gauges are of different moments each.
/// </summary>
internal sealed class Timeline
{
    private readonly List<(double At, int Region, int Change)> _events = [];
    private readonly int _regions;

    /// <param name="requests">The requests, all of them ended.</param>
    /// <param name="networks">First parts of the addresses of each region's model servers.</param>
    /// <param name="fromHead">True to count from the head of the answer on: what was on its way before is left out.</param>
    public Timeline(IEnumerable<Ended> requests, string[] networks, bool fromHead = false)
    {
        _regions = networks.Length;
        foreach (var request in requests)
        {
            if (RegionOf(request, networks) is not { } region) continue;
            _events.Add(((fromHead ? request.HeadAt!.Value : request.SentAt).TotalSeconds, region, 1));
            _events.Add((request.EndedAt.TotalSeconds, region, -1));
        }

        // Who leaves makes room for who comes at the same moment.
        _events.Sort(static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : a.Change.CompareTo(b.Change));
    }

    /// <summary>Region whose model server answered; null where none did.</summary>
    public static int? RegionOf(Ended request, string[] networks)
    {
        for (var i = 0; i < networks.Length; i++)
        {
            if (request.Served?.StartsWith(networks[i], StringComparison.Ordinal) == true) return i;
        }

        return null;
    }

    /// <summary>Mean requests in flight of each region, between two moments.</summary>
    public double[] Means(double from, double to)
    {
        var sums = new double[_regions];
        Walk(from, to, (counts, seconds) =>
        {
            for (var r = 0; r < sums.Length; r++) sums[r] += counts[r] * seconds;
        });
        return [.. sums.Select(s => s / (to - from))];
    }

    /// <summary>Mean of the requests that are above a region's target while another has room for them, and the longest time for which there were that many or more.</summary>
    public (double Mean, double LongestSeconds) Misplaced(double target, double from, double to, double many)
    {
        var (sum, longest, now) = (0.0, 0.0, 0.0);
        Walk(from, to, (counts, seconds) =>
        {
            var (above, room) = (0.0, 0.0);
            foreach (var count in counts)
            {
                above += Math.Max(0, count - target);
                room += Math.Max(0, target - count);
            }

            var misplaced = Math.Min(above, room);
            sum += misplaced * seconds;
            now = misplaced >= many ? now + seconds : 0;
            longest = Math.Max(longest, now);
        });
        return (sum / (to - from), longest);
    }

    /// <summary>Most requests at a region at any moment.</summary>
    public int Peak(int region)
    {
        var peak = 0;
        Walk(double.NegativeInfinity, double.PositiveInfinity, (counts, _) => peak = Math.Max(peak, counts[region]));
        return peak;
    }

    private void Walk(double from, double to, Action<int[], double> span)
    {
        var counts = new int[_regions];
        var at = from;
        foreach (var (when, region, change) in _events)
        {
            var until = Math.Clamp(when, from, to);
            if (until > at) span(counts, until - at);
            at = Math.Max(at, until);
            counts[region] += change;
        }

        if (to > at && double.IsFinite(to)) span(counts, to - at);
    }
}
