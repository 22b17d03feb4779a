using System.Threading.Channels;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Inference.Explaining;

/// <summary>
/// Appends lines to a file in the background. Bounded: a disk that does not keep up costs lines, which are counted, and never a request its
/// time. The file is opened anew for every batch, so that it can be rotated by renaming it.
/// </summary>
internal sealed partial class AccessLogFile : IAsyncDisposable
{
    /// <summary>Most lines that wait for the disk.</summary>
    public const int MaxWaiting = 8192;

    private const int MaxBatchBytes = 256 * 1024;

    // How long a stop waits for the disk.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(3);

    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly string _path;
    private readonly Counter _dropped;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private bool _failing;

    /// <param name="path">File.</param>
    /// <param name="dropped">Counts lines that were thrown away.</param>
    /// <param name="log">Where it says that the file cannot be written.</param>
    /// <param name="time">Clock.</param>
    public AccessLogFile(string path, Counter dropped, ILogger log, TimeProvider time)
    {
        _path = path;
        _dropped = dropped;
        _log = log;
        _time = time;
        _writing = Task.Run(RunAsync);
    }

    /// <summary>Takes a line with its line feed; returns at once.</summary>
    public void Write(byte[] line)
    {
        if (!_lines.Writer.TryWrite(line)) _dropped.Increment();
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(StopLimit, _time));
    }

    private async Task RunAsync()
    {
        var batch = new MemoryStream();
        while (await _lines.Reader.WaitToReadAsync())
        {
            batch.SetLength(0);
            var count = 0;
            while (batch.Length < MaxBatchBytes && _lines.Reader.TryRead(out var line))
            {
                batch.Write(line);
                count++;
            }

            if (!await AppendAsync(batch)) _dropped.Add(count);
        }
    }

    private async Task<bool> AppendAsync(MemoryStream batch)
    {
        try
        {
            await using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            await file.WriteAsync(batch.GetBuffer().AsMemory(0, (int)batch.Length));
            _failing = false;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Once, until it works again: the disk may be full for hours.
            if (!_failing) CannotWrite(_log, _path, e.Message);
            _failing = true;
            return false;
        }
    }

    [LoggerMessage(2, LogLevel.Error, "The access log {Path} cannot be written; lines are thrown away and counted until it can: {Reason}")]
    private static partial void CannotWrite(ILogger log, string path, string reason);
}
