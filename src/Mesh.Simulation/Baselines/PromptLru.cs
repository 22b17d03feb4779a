namespace Mesh.Simulation.Baselines;

/// <summary>
/// A router's own record of the prompts that it sent to one endpoint: block hashes in order of use, the longest unused forgotten first. A
/// prompt's blocks are entered from its first to its last, as the original does, so its beginning counts as oldest. Trace blocks of 512
/// tokens stand for up to 8 blocks of 64 tokens each: an entry keeps how many of them are known. Not thread-safe.
/// </summary>
internal sealed class PromptLru(int capacityBlocks)
{
    /// <summary>Tokens of the original's blocks.</summary>
    public const int BlockTokens = 64;

    private const int PerTraceBlock = Traces.TraceRequest.BlockTokens / BlockTokens;

    private readonly Dictionary<ulong, LinkedListNode<(ulong Hash, int Known)>> _entries = [];
    private readonly LinkedList<(ulong Hash, int Known)> _order = new();

    /// <summary>Blocks of 64 tokens that are known.</summary>
    public int Blocks { get; private set; }

    /// <summary>Leading blocks of 64 tokens of a prompt that are known.</summary>
    public int Match(ReadOnlySpan<ulong> chain, int promptTokens)
    {
        var matched = 0;
        for (var i = 0; i < chain.Length; i++)
        {
            var needed = Needed(i, promptTokens);
            if (!_entries.TryGetValue(chain[i], out var entry)) return matched;
            matched += Math.Min(needed, entry.Value.Known);
            if (entry.Value.Known < needed) return matched;
        }

        return matched;
    }

    /// <summary>Records a prompt.</summary>
    public void Add(ReadOnlySpan<ulong> chain, int promptTokens)
    {
        for (var i = 0; i < chain.Length; i++)
        {
            var needed = Needed(i, promptTokens);
            if (needed == 0) break;
            if (_entries.TryGetValue(chain[i], out var entry))
            {
                _order.Remove(entry);
                Blocks += Math.Max(0, needed - entry.Value.Known);
                entry.Value = (chain[i], Math.Max(needed, entry.Value.Known));
            }
            else
            {
                entry = new LinkedListNode<(ulong, int)>((chain[i], needed));
                _entries.Add(chain[i], entry);
                Blocks += needed;
            }

            _order.AddLast(entry);
            while (Blocks > capacityBlocks) ForgetOldest();
        }
    }

    /// <summary>Full blocks of 64 tokens in a prompt.</summary>
    public static int BlocksOf(int promptTokens) => promptTokens / BlockTokens;

    private void ForgetOldest()
    {
        var oldest = _order.First!;
        var (hash, known) = oldest.Value;
        Blocks--;
        if (known > 1)
        {
            oldest.Value = (hash, known - 1);
            return;
        }

        _order.RemoveFirst();
        _entries.Remove(hash);
    }

    private static int Needed(int traceBlock, int promptTokens) => Math.Clamp(BlocksOf(promptTokens) - (traceBlock * PerTraceBlock), 0, PerTraceBlock);
}
