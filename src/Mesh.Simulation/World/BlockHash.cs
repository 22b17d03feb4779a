namespace Mesh.Simulation.World;

/// <summary>Hashes that stand for the contents of prompt blocks: a trace names blocks by number, engines and routers by hash.</summary>
internal static class BlockHash
{
    /// <summary>Hash of a block of a trace and of all blocks before it, for a trace's ids name whole prefixes. Never 0.</summary>
    public static ulong OfTraceBlock(long id)
    {
        var hash = Mix((ulong)id + 0x9E3779B97F4A7C15);
        return hash == 0 ? 1 : hash;
    }

    /// <summary>Hash of a smaller block, the <paramref name="part"/>th of a trace's block. Never 0.</summary>
    public static ulong OfEngineBlock(ulong traceBlock, int part)
    {
        // One multiplication is enough: the trace block's bits are mixed already.
        var hash = (traceBlock + (ulong)part) * 0xD6E8FEB86659FD93;
        return hash == 0 ? 1 : hash;
    }

    /// <summary>The finalizer of SplitMix64.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
