namespace Mesh.Gateway.Admin.History;

/// <summary>Buckets of durations that grow by 15%, from 0.1 ms to 10 min: a percentile read from them is off by less than that.</summary>
internal static class LatencyScale
{
    private const double LeastMs = 0.1;
    private const double Growth = 1.15;

    /// <summary>Buckets; the last one takes all that is longer.</summary>
    public const int Count = 114;

    private static readonly double LogGrowth = Math.Log(Growth);

    /// <summary>Bucket of a duration.</summary>
    public static int BucketOf(double milliseconds) =>
        milliseconds <= LeastMs ? 0 : Math.Min(Count - 1, 1 + (int)(Math.Log(milliseconds / LeastMs) / LogGrowth));

    /// <summary>A percentile of counts by bucket, in milliseconds; null without any.</summary>
    /// <param name="counts">Observations by bucket.</param>
    /// <param name="share">0–1.</param>
    public static double? Percentile(ReadOnlySpan<long> counts, double share)
    {
        long total = 0;
        foreach (var count in counts) total += count;
        if (total == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(total * share));
        long seen = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen < rank) continue;
            // As if the bucket's own were spread evenly over it; one alone stands in the middle.
            return At(i, 1 - (seen - rank + 0.5) / counts[i]);
        }

        return At(Count - 1, 0.5);
    }

    // A share of the way through a bucket, in milliseconds.
    private static double At(int bucket, double share) => bucket == 0 ? LeastMs : LeastMs * Math.Pow(Growth, bucket - 1 + share);
}
