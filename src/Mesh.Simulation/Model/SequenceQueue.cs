namespace Mesh.Simulation.Model;

/// <summary>Waiting sequences in order, linked through the sequences themselves: removal from the middle costs nothing.</summary>
internal sealed class SequenceQueue
{
    public Sequence? First { get; private set; }

    private Sequence? _last;

    public int Count { get; private set; }

    public void AddLast(Sequence sequence)
    {
        sequence.Previous = _last;
        sequence.Next = null;
        if (_last is null) First = sequence;
        else _last.Next = sequence;
        _last = sequence;
        Count++;
    }

    public void AddFirst(Sequence sequence)
    {
        sequence.Previous = null;
        sequence.Next = First;
        if (First is null) _last = sequence;
        else First.Previous = sequence;
        First = sequence;
        Count++;
    }

    public void Remove(Sequence sequence)
    {
        if (sequence.Previous is null) First = sequence.Next;
        else sequence.Previous.Next = sequence.Next;
        if (sequence.Next is null) _last = sequence.Previous;
        else sequence.Next.Previous = sequence.Previous;
        sequence.Previous = sequence.Next = null;
        Count--;
    }
}
