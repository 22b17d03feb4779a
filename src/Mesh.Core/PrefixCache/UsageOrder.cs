namespace Mesh.Core.PrefixCache;

/// <summary>Per endpoint, its entries from the newest used to the oldest: a doubly linked list through the entries themselves.</summary>
internal sealed class UsageOrder(HolderEntry[] entries, int endpointCapacity)
{
    private readonly int[] _newest = Filled(endpointCapacity);
    private readonly int[] _oldest = Filled(endpointCapacity);

    /// <summary>The entry used longest ago; −1 when the endpoint has none.</summary>
    public int Oldest(int endpoint) => _oldest[endpoint];

    public void AddNewest(int endpoint, int entry)
    {
        entries[entry].Newer = -1;
        entries[entry].Older = _newest[endpoint];
        if (_newest[endpoint] >= 0) entries[_newest[endpoint]].Newer = entry;
        else _oldest[endpoint] = entry;
        _newest[endpoint] = entry;
    }

    /// <summary>Puts <paramref name="entry"/> directly before <paramref name="older"/>, as used just after it.</summary>
    public void AddNewerThan(int endpoint, int older, int entry)
    {
        var newer = entries[older].Newer;
        entries[entry].Newer = newer;
        entries[entry].Older = older;
        entries[older].Newer = entry;
        if (newer >= 0) entries[newer].Older = entry;
        else _newest[endpoint] = entry;
    }

    public void Remove(int endpoint, int entry)
    {
        var (newer, older) = (entries[entry].Newer, entries[entry].Older);
        if (newer >= 0) entries[newer].Older = older;
        else _newest[endpoint] = older;
        if (older >= 0) entries[older].Newer = newer;
        else _oldest[endpoint] = newer;
    }

    private static int[] Filled(int length)
    {
        var array = new int[length];
        Array.Fill(array, -1);
        return array;
    }
}
