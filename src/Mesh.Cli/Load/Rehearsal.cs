using System.Text;

namespace Mesh.Cli.Load;

/// <summary>
/// Runs the client against a connection in memory before the first request, so that compiling the client's code is not measured as a
/// delay of the server.
/// </summary>
internal static class Rehearsal
{
    private const int Rounds = 200;

    private static readonly byte[] Streamed = Answer("text/event-stream",
        "data: {\"choices\":[{\"text\":\" a\",\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"text\":\" b\",\"delta\":{\"content\":\"b\"}}]}\n\n"
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n");

    private static readonly byte[] Whole = Answer("application/json", "{\"choices\":[{\"text\":\" a\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}");

    public static async Task RunAsync(LoadOptions options, TimeProvider time, CancellationToken ended)
    {
        var here = options with
        {
            Target = new Uri("http://rehearsal.invalid/"), Timeout = TimeSpan.FromSeconds(5), Headers = [], TraceFile = null, Turns = 1, Rate = 1e5,
            RateScale = 1, Requests = Rounds, Duration = null, MaxInFlight = int.MaxValue, Connections = 4, WarmUp = TimeSpan.Zero,
        };
        var clock = new RunClock(time);
        var answer = options.Stream ? Streamed : Whole;
        using var client = new LoadClient(here, clock, (_, _) => ValueTask.FromResult<Stream>(new CannedStream(answer)));
        await new LoadRun(here, new LoadPlan(here), client, new LoadRecorder(here), clock).RunAsync(ended).ConfigureAwait(false);
    }

    private static byte[] Answer(string type, string body) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n");

    /// <summary>A server of one answer: whatever is written is a whole request, as the client flushes one at a time.</summary>
    private sealed class CannedStream(byte[] answer) : Stream
    {
        private readonly SemaphoreSlim _asked = new(0);
        private int _left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                // A read of nothing asks whether there is something to read.
                await _asked.WaitAsync(cancellationToken).ConfigureAwait(false);
                _left = answer.Length;
            }

            var read = Math.Min(buffer.Length, _left);
            answer.AsMemory(answer.Length - _left, read).CopyTo(buffer);
            _left -= read;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // A body may follow its head in a write of its own; only the one that ends the request is answered.
            if (buffer.Length > 0 && buffer.Span[^1] == (byte)'}') _asked.Release();
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
