using System.Threading.Channels;

namespace Mesh.Simulation.Server;

/// <summary>All sequences of one HTTP request, and the bell that rings when they have news.</summary>
internal sealed class Generation(bool streams)
{
    // One place is enough: the reader looks at every answer each time it wakes.
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private int _unfinished;

    public List<Answer> Answers { get; } = [];

    /// <summary>Whether every token is to be told.</summary>
    public bool Streams => streams;

    public bool Finished => Volatile.Read(ref _unfinished) == 0;

    public void Add(Answer answer)
    {
        Answers.Add(answer);
        _unfinished++;
    }

    public void FinishOne() => Interlocked.Decrement(ref _unfinished);

    public void Ring() => _bell.Writer.TryWrite(true);

    public ValueTask<bool> NewsAsync(CancellationToken cancellationToken) => _bell.Reader.ReadAsync(cancellationToken);
}
