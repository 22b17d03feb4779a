namespace Mesh.Core.PrefixCache;

/// <summary>A run of blocks that follow each other in every prompt seen so far, and who holds how much of it.</summary>
internal struct PrefixNode
{
    /// <summary>Node before it; −1 for the first.</summary>
    public int Parent;

    /// <summary>Index of its first block in the prompt.</summary>
    public int Depth;

    /// <summary>Where its block hashes stand.</summary>
    public int HashStart;

    /// <summary>Blocks in the run.</summary>
    public int Length;

    /// <summary>Where its holders stand.</summary>
    public int HolderStart;

    /// <summary>Endpoints that hold a part of it from its start on.</summary>
    public int HolderCount;

    /// <summary>Nodes that follow.</summary>
    public int Children;
}

/// <summary>One endpoint's share of a node.</summary>
internal struct Holder
{
    public int Endpoint;

    /// <summary>Blocks held, from the node's first on.</summary>
    public int Held;
}

/// <summary>One (node, endpoint) pair: its place among the holders and in the endpoint's order of use.</summary>
internal struct HolderEntry
{
    public int Node;

    public int Position;

    public int Newer;

    public int Older;
}
