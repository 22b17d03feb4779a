namespace Mesh.Grains.Placing;

/// <summary>Chooses one of several silos for a name so that everybody who knows the same silos chooses the same, and few names move when they change.</summary>
internal static class Rendezvous
{
    /// <summary>The silo whose hash together with the name is the highest.</summary>
    /// <param name="name">Name of the grain.</param>
    /// <param name="silos">At least one.</param>
    public static SiloAddress Choose(string name, IReadOnlyList<SiloAddress> silos)
    {
        var best = silos[0];
        var highest = 0UL;
        foreach (var silo in silos)
        {
            var score = Hash(name, silo.ToParsableString());
            if (score < highest || (score == highest && best.CompareTo(silo) <= 0)) continue;
            (best, highest) = (silo, score);
        }
        return best;
    }

    // FNV-1a, then a finalizer: names that differ in their last character only must not choose alike.
    private static ulong Hash(string name, string silo)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in name) hash = (hash ^ c) * 1099511628211UL;
        hash = (hash ^ '|') * 1099511628211UL;
        foreach (var c in silo) hash = (hash ^ c) * 1099511628211UL;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);
    }
}
