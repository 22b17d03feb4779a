using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Endpoints;

namespace Mesh.Gateway.Rehearsing;

/// <summary>Answers every request as a model server would: a stream to who asks for one, else a completion. On the loopback interface, at a port of its own.</summary>
internal sealed class RehearsalServer : IDisposable
{
    private const int LargestRequest = 16 << 10;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationToken _end;

    /// <summary>Listens until it is disposed of; connections end with the token, or with their client.</summary>
    public RehearsalServer(CancellationToken end)
    {
        _end = end;
        _listener.Start();
        _ = AcceptAsync();
    }

    public EndpointId Address => new(_listener.LocalEndpoint.ToString()!);

    private static byte[] Whole { get; } = Answer(
        """{"id":"r","object":"text_completion","model":"rehearsal","choices":[{"index":0,"text":"ok"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}""");

    private static byte[][] Stream { get; } =
    [
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(),
        Chunk("""data: {"id":"r","object":"chat.completion.chunk","model":"rehearsal","choices":[{"index":0,"delta":{"content":"ok"}}]}"""),
        Chunk("""data: {"id":"r","object":"chat.completion.chunk","model":"rehearsal","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"""),
        Chunk("data: [DONE]"),
        "0\r\n\r\n"u8.ToArray(),
    ];

    public void Dispose() => _listener.Dispose();

    private static byte[] Answer(string json) => Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    private static byte[] Chunk(string line) => Encoding.ASCII.GetBytes($"{line.Length + 2:x}\r\n{line}\n\n\r\n");

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptSocketAsync(_end));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The rehearsal is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var connection = socket;
            socket.NoDelay = true;
            var buffer = new byte[LargestRequest];
            var filled = 0;
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(filled), _end);
                if (read == 0) return;
                filled += read;
                if (!IsWhole(buffer.AsSpan(0, filled))) continue;
                if (buffer.AsSpan(0, filled).IndexOf("\"stream\":true"u8) < 0) await socket.SendAsync(Whole, _end);
                else foreach (var part in Stream) await socket.SendAsync(part, _end);
                filled = 0;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The rehearsal is over.
        }
    }

    // A body ends with the brace of its root: the client of the rehearsal writes nothing after it, and one request at a time.
    private static bool IsWhole(ReadOnlySpan<byte> request) => request.EndsWith("}"u8);
}
