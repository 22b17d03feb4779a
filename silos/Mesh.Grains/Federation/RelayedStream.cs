using System.Buffers;
using System.IO.Pipelines;
using Mesh.Engine.Federation;

namespace Mesh.Grains.Federation;

/// <summary>
/// One peer's stream of reports on its way through a gateway: the hub writes, and the gateway fetches. At most one event lies between them: a gateway that does
/// not come gets the newest when it does.
/// </summary>
internal sealed class RelayedStream : IDisposable
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false));
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private int _isReading;
    private long _readAt;

    public RelayedStream(FederationHub hub, PeerIdentity reader, TimeProvider time)
    {
        _time = time;
        _readAt = time.GetTimestamp();
        Publishing = Task.Run(() => PublishAsync(hub, reader));
    }

    /// <summary>Ends when the hub writes no more.</summary>
    public Task Publishing { get; }

    /// <summary>How long nobody has asked.</summary>
    public TimeSpan Idle => Volatile.Read(ref _isReading) != 0 ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _readAt));

    /// <summary>The next events; empty when none came for a while.</summary>
    public async Task<ReportPage> ReadAsync(TimeSpan patience)
    {
        // A gateway that has given a call up has given the stream up.
        if (Interlocked.Exchange(ref _isReading, 1) != 0) return new ReportPage([], HasEnded: true);
        try
        {
            using var limit = new CancellationTokenSource(patience, _time);
            var result = await _pipe.Reader.ReadAsync(limit.Token).ConfigureAwait(false);
            var bytes = result.Buffer.ToArray();
            _pipe.Reader.AdvanceTo(result.Buffer.End);
            return new ReportPage(bytes, HasEnded: bytes.Length == 0 && result.IsCompleted);
        }
        catch (OperationCanceledException)
        {
            return new ReportPage([], HasEnded: false);
        }
        finally
        {
            Volatile.Write(ref _readAt, _time.GetTimestamp());
            Volatile.Write(ref _isReading, 0);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private async Task PublishAsync(FederationHub hub, PeerIdentity reader)
    {
        try
        {
            await hub.PublishAsync(reader, _pipe.Writer, _stop.Token).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The hub has ended.
        }

        await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
    }
}
