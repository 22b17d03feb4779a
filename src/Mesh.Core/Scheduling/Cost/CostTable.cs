using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// What the cost of every endpoint is made of, one row of a cache line per slot: choosing walks these rows in order instead of following
/// references from endpoint to endpoint.
/// </summary>
internal sealed class CostTable
{
    /// <summary>Slots from which a pool is large, so that looking at all takes longer than finding out at which to look: its rows are kept in a tree of blocks, too.</summary>
    public const int LargeSlots = 512;

    private CostRow[] _rows = [];

    // A bit for each slot: who is ready is asked for without a look at the rows, too.
    private ulong[] _ready = [];
    private CostTree? _tree;

    /// <summary>Rows of the slots given out, some of which may be of no endpoint.</summary>
    public ReadOnlySpan<CostRow> Rows => _rows.AsSpan(0, Count);

    /// <summary>Takes what changes about the adapters of endpoints, and whether they are ready; null while nobody asks for it.</summary>
    public ChangedSlots? AdapterChanges { get; set; }

    /// <summary>Takes the rows that change, for the same purpose; null before the first.</summary>
    public WaitTree? Waits { get; set; }

    /// <summary>Slots given out.</summary>
    public int Count { get; private set; }

    /// <summary>A row to change; to read one, take it from <see cref="Rows"/>.</summary>
    public ref CostRow this[int slot]
    {
        get
        {
            _tree?.Change(slot);
            Waits?.Change(slot);
            return ref _rows[slot];
        }
    }

    /// <summary>True for an endpoint that is ready.</summary>
    public bool IsReady(int slot) => (_ready[slot >> 6] >> slot & 1) != 0;

    /// <summary>Sets whether an endpoint is ready, and whether it may be chosen.</summary>
    public void SetReady(int slot, bool isReady, bool mayBeChosen)
    {
        AdapterChanges?.Note(slot);
        ref var row = ref this[slot];
        row.IsReady = isReady;
        row.MayBeChosen = mayBeChosen;
        SetBit(slot, isReady);
    }

    /// <summary>The blocks of a large pool as they are now.</summary>
    public CostTree Tree(double nowMs)
    {
        _tree!.SetSlots(Count);
        _tree.Update(Rows, nowMs);
        return _tree;
    }

    /// <summary>False when no endpoint that nobody waits for has less work outstanding than so many milliseconds; of a large pool it may be true then, too.</summary>
    public bool MayHaveIdle(double workMs, double nowMs)
    {
        if (_tree is not null)
        {
            var tree = Tree(nowMs);
            foreach (ref readonly var block in tree[tree.Levels - 1])
            {
                if (block.FreeUntilMs - nowMs < workMs) return true;
            }

            return false;
        }

        foreach (ref readonly var row in Rows)
        {
            if (row.MayBeChosen && row.QueuedMs <= 0 && row.WaitMs(nowMs) < workMs) return true;
        }

        return false;
    }

    /// <summary>Makes an empty row for a slot.</summary>
    public void Reset(int slot)
    {
        if (slot >= _rows.Length)
        {
            Array.Resize(ref _rows, Math.Max(16, Math.Max(slot + 1, _rows.Length * 2)));
            Array.Resize(ref _ready, (_rows.Length + 63) / 64);
        }

        Count = Math.Max(Count, slot + 1);
        if (Count >= LargeSlots) _tree ??= new CostTree();
        _tree?.Change(slot);
        Waits?.Change(slot);
        AdapterChanges?.Note(slot);
        _rows[slot] = new CostRow { Backend = -1, Scale = 1, PrefillSpeed = 1 };
        SetBit(slot, isSet: false);
    }

    private void SetBit(int slot, bool isSet)
    {
        ref var word = ref _ready[slot >> 6];
        var bit = 1UL << slot;
        word = isSet ? word | bit : word & ~bit;
    }
}

/// <summary>One endpoint's part in the cost of a request; see <see cref="CostModel"/>. Times in milliseconds.</summary>
internal struct CostRow
{
    /// <summary>When the prompt work outstanding is predicted to be done, since the pool's start.</summary>
    public double BusyUntilMs;

    /// <summary>Least time until a further prompt begins, whatever was predicted.</summary>
    public double LeastWaitMs;

    /// <summary>Prompt work of requests that wait in the pool for it.</summary>
    public double QueuedMs;

    /// <summary>What one more stream does to those that are there.</summary>
    public double DecodeMs;

    /// <summary>Round trip from the deciding gateway.</summary>
    public double RoundTripMs;

    /// <summary>Learned: its prompt times over the table's.</summary>
    public double PrefillSpeed;

    /// <summary>What its streams add to each prefill step.</summary>
    public float StepIncrementMs;

    /// <summary>1 / capacity scaler of its backend: what has half the scaler counts as twice as loaded.</summary>
    public float Scale;

    /// <summary>Index of its backend in the configuration; −1 once that no longer names it.</summary>
    public int Backend;

    /// <summary>Healthy, not ejected, and in the configuration.</summary>
    public bool IsReady;

    /// <summary>Ready, and not held back while its share rises.</summary>
    public bool MayBeChosen;

    /// <summary>Streams decode there.</summary>
    public bool HasStreams;

    /// <summary>A recent failure may still weigh.</summary>
    public bool HasFailures;

    /// <summary>Time until a prompt sent now would begin to be computed.</summary>
    public readonly double WaitMs(double nowMs)
    {
        var left = BusyUntilMs - nowMs;
        return left > LeastWaitMs ? left : LeastWaitMs;
    }
}
