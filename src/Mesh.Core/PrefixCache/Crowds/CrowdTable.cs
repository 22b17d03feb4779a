using System.Numerics;

namespace Mesh.Core.PrefixCache.Crowds;

/// <summary>
/// The crowds of an index: a node has one from 17 holders on, until it has 8, as long as there are no more than 256 in all; then those of the
/// most holders have. An index of few endpoints has none: a look at each takes no longer. Not thread-safe; what a crowd needs is allocated when it is made
/// and used again.
/// </summary>
internal sealed class CrowdTable(PrefixNode[] nodes, int endpointCapacity)
{
    /// <summary>Endpoints from which an index has crowds.</summary>
    public const int LeastEndpoints = 512;

    /// <summary>A node of no more holders has no crowd.</summary>
    public const int MostFew = 16;

    private const int LeastHolders = 8;
    private const int MostCrowds = 256;
    private readonly ChainTable _byNode = new(endpointCapacity < LeastEndpoints ? 0 : MostCrowds);
    private readonly List<Crowd> _crowds = [];
    private readonly Stack<int> _free = new();

    /// <summary>The crowd of a node; null when it has none.</summary>
    public Crowd? Of(int node)
    {
        // Most nodes have few holders, and need no look-up to tell.
        if (nodes[node].HolderCount < LeastHolders) return null;
        var crowd = _byNode.Find((ulong)node);
        return crowd < 0 ? null : _crowds[crowd];
    }

    /// <summary>An endpoint was added to a node's holders.</summary>
    public void OnAdded(int node, int endpoint, int held, ReadOnlySpan<Holder> holders)
    {
        if (Of(node) is { } crowd)
        {
            crowd.Add(endpoint);
            if (held < nodes[node].Length) crowd.Partial++;
        }
        else if (holders.Length > MostFew && BitOperations.IsPow2(holders.Length - 1))
        {
            Gather(node, holders);
        }
    }

    /// <summary>An endpoint is no holder of a node any more.</summary>
    public void OnRemoved(int node, int endpoint, int held)
    {
        if (Of(node) is not { } crowd) return;
        crowd.Remove(endpoint);
        if (held < nodes[node].Length) crowd.Partial--;
        if (crowd.Count <= LeastHolders) Drop(node);
    }

    /// <summary>A holder holds more or less than before.</summary>
    public void OnChanged(int node, int heldBefore, int held)
    {
        if (Of(node) is not { } crowd) return;
        var length = nodes[node].Length;
        crowd.Partial += (held < length ? 1 : 0) - (heldBefore < length ? 1 : 0);
    }

    /// <summary>Makes a crowd of a node's holders, where they are many enough.</summary>
    public void Gather(int node, ReadOnlySpan<Holder> holders)
    {
        if (holders.Length <= MostFew || endpointCapacity < LeastEndpoints || Take(holders.Length) is not (>= 0 and var index)) return;
        var crowd = _crowds[index];
        crowd.Start(node);
        foreach (ref readonly var holder in holders)
        {
            crowd.Add(holder.Endpoint);
            if (holder.Held < nodes[node].Length) crowd.Partial++;
        }

        _byNode.Add((ulong)node, index);
    }

    /// <summary>A node has no crowd any more.</summary>
    public void Drop(int node)
    {
        var index = _byNode.Find((ulong)node);
        if (index < 0) return;
        _byNode.Remove((ulong)node);
        _free.Push(index);
    }

    // One that is free or new, or that of less than half as many holders.
    private int Take(int holders)
    {
        if (_free.TryPop(out var free)) return free;
        if (_crowds.Count < MostCrowds)
        {
            _crowds.Add(new Crowd(endpointCapacity));
            return _crowds.Count - 1;
        }

        var least = 0;
        for (var i = 1; i < _crowds.Count; i++)
        {
            if (_crowds[i].Count < _crowds[least].Count) least = i;
        }

        if (_crowds[least].Count > holders / 2) return -1;
        _byNode.Remove((ulong)_crowds[least].Node);
        return least;
    }
}
