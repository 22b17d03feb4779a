using System.Numerics;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// Who holds how much of a prompt by the bits of its places: one probe and a few words for each place, however many endpoints there are. For all feeds at once, for those
/// who look at few of many, and for one. Not thread-safe.
/// </summary>
internal sealed class PlaceMatcher(MappingTable mappings, FeedColumns columns)
{
    private ulong[] _aliveGpu = [];
    private ulong[] _aliveAny = [];

    /// <summary>True once something offloaded has been told of: what is in the accelerator is not all there is.</summary>
    public bool HasTiers => mappings.HasTiers;

    /// <summary>Leading blocks of a chain that each feed's endpoint holds.</summary>
    /// <param name="chain">The gateway's chained hashes.</param>
    /// <param name="gpu">Written for every column: blocks in the accelerator.</param>
    /// <param name="any">Written for every column: blocks in any tier.</param>
    /// <returns>Leading blocks that are mapped: who holds fewer than these is known not to hold more, what comes after them is not known.</returns>
    public int Match(ReadOnlySpan<ulong> chain, Span<int> gpu, Span<int> any)
    {
        gpu.Clear();
        any.Clear();
        if (_aliveGpu.Length < mappings.Words) (_aliveGpu, _aliveAny) = (new ulong[mappings.Words], new ulong[mappings.Words]);
        var words = (columns.Count + 63) / 64;
        _aliveGpu.AsSpan(0, words).Fill(ulong.MaxValue);
        _aliveAny.AsSpan(0, words).Fill(ulong.MaxValue);
        if ((columns.Count & 63) != 0) _aliveGpu[words - 1] = _aliveAny[words - 1] = (1UL << (columns.Count & 63)) - 1;
        var mapped = 0;
        for (; mapped < chain.Length; mapped++)
        {
            var mapping = mappings.Find(chain[mapped]);
            if (mapping < 0) break;
            var left = 0UL;
            for (var w = 0; w < words; w++)
            {
                var onGpu = mappings.Gpu(mapping)[w];
                Lose(ref _aliveGpu[w], onGpu, w, mapped, gpu);
                Lose(ref _aliveAny[w], onGpu | mappings.Offloaded(mapping)[w], w, mapped, any);
                left |= _aliveAny[w];
            }
            if (left == 0)
            {
                mapped++;
                break;
            }
        }
        for (var w = 0; w < words; w++)
        {
            Lose(ref _aliveGpu[w], 0, w, mapped, gpu);
            Lose(ref _aliveAny[w], 0, w, mapped, any);
        }
        return mapped;
    }

    /// <summary>As <see cref="Match"/>, without a look at each feed.</summary>
    /// <param name="chain">The gateway's chained hashes.</param>
    /// <param name="gpu">Takes the blocks in the accelerator.</param>
    /// <param name="any">Takes the blocks in any tier; null where there is but one.</param>
    /// <returns>As there.</returns>
    public int Look(ReadOnlySpan<ulong> chain, LeadingBlocks gpu, LeadingBlocks? any)
    {
        gpu.Start(columns.Live);
        any?.Start(columns.Live);
        var mapped = 0;
        while (mapped < chain.Length && mappings.Find(chain[mapped]) is >= 0 and var mapping)
        {
            var onGpu = mappings.Gpu(mapping);
            gpu.Keep(onGpu, [], mapped);
            any?.Keep(onGpu, mappings.Offloaded(mapping), mapped);
            mapped++;
            if ((any ?? gpu).IsEmpty) break;
        }
        gpu.End(mapped);
        any?.End(mapped);
        return mapped;
    }

    /// <summary>Leading blocks of a chain that one feed's endpoint holds.</summary>
    /// <returns>Blocks in the accelerator, blocks in any tier, and whether it holds all that is mapped.</returns>
    public (int Gpu, int Any, bool IsComplete) HeldBy(int column, ReadOnlySpan<ulong> chain)
    {
        var gpu = -1;
        for (var blocks = 0; blocks < chain.Length; blocks++)
        {
            var mapping = mappings.Find(chain[blocks]);
            if (mapping < 0) return (gpu < 0 ? blocks : gpu, blocks, true);
            var onGpu = (mappings.Gpu(mapping)[column >> 6] >> column & 1) != 0;
            if (!onGpu && gpu < 0) gpu = blocks;
            if (!onGpu && (mappings.Offloaded(mapping)[column >> 6] >> column & 1) == 0) return (gpu, blocks, false);
        }
        return (gpu < 0 ? chain.Length : gpu, chain.Length, true);
    }

    // Whoever is still in the run but does not hold this block drops out with what it had.
    private static void Lose(ref ulong alive, ulong holders, int word, int blocks, Span<int> into)
    {
        for (var lost = alive & ~holders; lost != 0; lost &= lost - 1) into[(word << 6) + BitOperations.TrailingZeroCount(lost)] = blocks;
        alive &= holders;
    }
}
