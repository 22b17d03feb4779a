using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>What a router knows that receives an engine's KV events without delay: exactly which blocks it holds.</summary>
internal static class KvEvents
{
    /// <summary>Tokens of a prompt that an engine would find in its cache now; at least one is always left to compute.</summary>
    public static int CachedTokens(VllmEngine engine, WorldRequest request)
    {
        if (!engine.Options.EnablePrefixCaching) return 0;
        var size = engine.Options.BlockSize;
        var blocks = request.EngineBlocks.Span;
        var stride = Traces.TraceRequest.BlockTokens / size;
        // Engines give up a prompt's blocks from its end, so a block that is there has all before it: look in strides, then one by one.
        var held = 0;
        while (held + stride <= blocks.Length && engine.Pool.TryFind(blocks[held + stride - 1], out _)) held += stride;
        while (held < blocks.Length && engine.Pool.TryFind(blocks[held], out _)) held++;
        return Math.Min(held, (request.PromptTokens - 1) / size) * size;
    }
}
