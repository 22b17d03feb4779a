namespace Mesh.Core.PrefixCache.Exact;

/// <summary>One block of one prompt, whoever holds it: told by all tokens up to its end.</summary>
internal struct BlockNode
{
    /// <summary>Hash of all tokens up to its end, the same for every endpoint.</summary>
    public ulong Identity;

    /// <summary>Block before it; −1 for the first.</summary>
    public int Parent;

    /// <summary>Tokens up to its end.</summary>
    public int EndTokens;

    /// <summary>Blocks that follow it.</summary>
    public int Children;

    /// <summary>First of those who hold it; −1 when nobody does.</summary>
    public int FirstHolder;

    /// <summary>First of the places of prompts that end in it; −1 without.</summary>
    public int FirstMapping;
}

/// <summary>One block that one feed's endpoint holds.</summary>
internal struct HeldBlock
{
    /// <summary>Key of the endpoint's own hash.</summary>
    public ulong Key;

    public int Node;

    public int Feed;

    /// <summary>Copies in the accelerator: an engine that computes a block twice at a time has two, and tells of each one's end.</summary>
    public ushort GpuCopies;

    public bool Offloaded;

    /// <summary>Number of the growth that ends in it.</summary>
    public int Growth;

    // Those of the same node.
    public int NextHolder;
    public int PreviousHolder;

    // Those of the same feed, by time.
    public int Newer;
    public int Older;
}
