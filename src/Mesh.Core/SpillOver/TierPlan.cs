using Mesh.Core.Config;

namespace Mesh.Core.SpillOver;

/// <summary>
/// The order in which backends are filled: preferred ones first, then nearest by round-trip time. A tier holds the backends that are
/// filled together; the next tier gets what the tiers before it have no room for. Immutable.
/// </summary>
internal sealed class TierPlan
{
    private TierPlan(int[][] tiers) => Tiers = tiers;

    /// <summary>Indices into the pool's backends, tier by tier.</summary>
    public int[][] Tiers { get; }

    /// <summary>Orders <paramref name="backends"/> as seen from <paramref name="locality"/>.</summary>
    public static TierPlan Create(ReadOnlySpan<BackendConfig> backends, Locality locality, ServiceLbAlgorithm algorithm)
    {
        var keyed = new List<(TierKey Key, int Index)>(backends.Length);
        for (var i = 0; i < backends.Length; i++) keyed.Add((KeyOf(backends[i], locality, algorithm), i));
        keyed.Sort();

        var tiers = new List<int[]>();
        for (var start = 0; start < keyed.Count;)
        {
            var end = start + 1;
            while (end < keyed.Count && keyed[end].Key == keyed[start].Key) end++;
            tiers.Add(keyed[start..end].ConvertAll(k => k.Index).ToArray());
            start = end;
        }
        return new TierPlan(tiers.ToArray());
    }

    private static TierKey KeyOf(BackendConfig backend, Locality locality, ServiceLbAlgorithm algorithm)
    {
        var preference = backend.Settings.Preference == BackendPreference.Preferred ? 0 : 1;
        var distance = locality.RoundTripTo(backend.Region);
        // An unset own region makes all regions equally near; then only the preference makes tiers.
        var region = locality.Region.Length == 0 ? "" : backend.Region;
        if (algorithm != ServiceLbAlgorithm.WaterfallByZone) return new TierKey(preference, distance, region, 0, "");

        var zoneRank = backend.Id.Zone == locality.Zone ? 0 : 1;
        return new TierKey(preference, distance, region, zoneRank, backend.Id.Zone);
    }

    private readonly record struct TierKey(int Preference, TimeSpan Distance, string Region, int ZoneRank, string Zone)
        : IComparable<TierKey>
    {
        public int CompareTo(TierKey other)
        {
            var order = Preference.CompareTo(other.Preference);
            if (order == 0) order = Distance.CompareTo(other.Distance);
            if (order == 0) order = string.CompareOrdinal(Region, other.Region);
            if (order == 0) order = ZoneRank.CompareTo(other.ZoneRank);
            return order != 0 ? order : string.CompareOrdinal(Zone, other.Zone);
        }
    }
}
