using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>The rows of endpoints that a request may go to: those of some backends, in a range of slots, without those that have failed it.</summary>
internal readonly ref struct CandidateRows
{
    private CandidateRows(ReadOnlySpan<bool> excluded, int first, int end, int sample)
    {
        Excluded = excluded;
        First = first;
        End = end;
        Sample = sample;
    }

    /// <summary>Backends left out, by index.</summary>
    public ReadOnlySpan<bool> Excluded { get; }

    /// <summary>First slot.</summary>
    public int First { get; }

    /// <summary>Slots from this on are out.</summary>
    public int End { get; }

    /// <summary>Whose load is sampled: 0 for all, else one higher than the backend.</summary>
    public int Sample { get; }

    private EndpointTable? Marked { get; init; }

    private long Mark { get; init; }

    /// <summary>Those of all backends but some.</summary>
    public static CandidateRows All(ReadOnlySpan<bool> excluded) => new(excluded, 0, int.MaxValue, 0);

    /// <summary>Those of one backend.</summary>
    /// <param name="backend">Its index.</param>
    /// <param name="allBut">All others.</param>
    /// <param name="slots">Slots among which its own are.</param>
    public static CandidateRows Of(int backend, ReadOnlySpan<bool> allBut, Range slots) => new(allBut, slots.Start.Value, slots.End.Value, backend + 1);

    /// <summary>The same without the endpoints that bear a mark: where a tree of bounds is searched, they cost a look at those that would have been chosen, and no more.</summary>
    public CandidateRows Without(EndpointTable endpoints, long mark) => new(Excluded, First, End, Sample) { Marked = endpoints, Mark = mark };

    /// <summary>True for a row that may be chosen and is of one of the backends.</summary>
    public bool IsAmong(ref readonly CostRow row) => row.MayBeChosen && !Excluded[row.Backend];

    /// <summary>True for a row in the range that may be chosen for the request.</summary>
    public bool Has(ref readonly CostRow row, int slot) => IsAmong(in row) && (Marked is null || Marked.InSlot(slot).Mark != Mark);
}
