namespace Mesh.Core.PrefixCache.Exact;

/// <summary>The end of a prompt that grew at an endpoint lately: its last block, and when that came.</summary>
internal struct Growth
{
    public int Node;

    /// <summary>The node's identity: a node that was given to another block is told by it.</summary>
    public ulong Identity;

    /// <summary>Tokens up to the end that it had, whatever has been given up of it since.</summary>
    public int EndTokens;

    public double AtMs;

    /// <summary>True when something was stored behind it since: another prompt begins with it.</summary>
    public bool Continued;
}

/// <summary>
/// The ends of the prompts that grew at one endpoint lately, a ring. An answer that is being written adds a block at a time to the same
/// end; anything longer is a prompt of its own.
/// </summary>
internal sealed class GrowthLog
{
    private const int Capacity = 512;
    private readonly Growth[] _ring = new Growth[Capacity];
    private int _next;

    /// <summary>Growths that can still be read, oldest first.</summary>
    public int First => Math.Max(0, _next - Capacity);

    public int End => _next;

    public ref readonly Growth this[int number] => ref _ring[number & (Capacity - 1)];

    /// <summary>Notes that blocks were stored behind the end of an earlier growth, or behind none; returns its number.</summary>
    public int Add(int behind, int blocks, in Growth growth)
    {
        if (behind >= First && behind < _next)
        {
            ref var before = ref _ring[behind & (Capacity - 1)];
            if (blocks == 1 && !before.Continued)
            {
                before = growth;
                return behind;
            }
            before.Continued = true;
        }
        _ring[_next & (Capacity - 1)] = growth;
        return _next++;
    }

    /// <summary>True when a growth can still be read and ends in this node.</summary>
    public bool IsEnd(int number, int node) => number >= First && number < _next && this[number].Node == node;

    /// <summary>As <see cref="IsEnd"/>, and nothing was stored behind it.</summary>
    public bool IsLastEnd(int number, int node) => IsEnd(number, node) && !this[number].Continued;

    /// <summary>The growth's last block is gone: what is left of it ends in the one before.</summary>
    public void FallBack(int number, int node, ulong identity)
    {
        ref var growth = ref _ring[number & (Capacity - 1)];
        growth.Node = node;
        growth.Identity = identity;
    }

    public void Clear() => _next = 0;
}
