using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Gateway.Rehearsing;

/// <summary>Requests as clients send them, without an HTTP client, which a gateway would have to compile for this alone.</summary>
internal static class RehearsalClient
{
    // Long enough to be hashed, and so that its shape is that of most: a system prompt, a question.
    private static readonly byte[] Chat = Request("/v1/chat/completions",
        $$"""{"model":"{{RehearsalEngine.Model}}","messages":[{"role":"system","content":"{{new string('a', 600)}}"},{"role":"user","content":"{{new string('b', 300)}}"}],"max_tokens":1,"stream":true}""");

    private static readonly byte[] Completion = Request("/v1/completions",
        $$"""{"model":"{{RehearsalEngine.Model}}","prompt":"{{new string('a', 600)}}","max_tokens":1}""");

    private static readonly byte[] Ready = Encoding.ASCII.GetBytes("GET /readyz HTTP/1.1\r\nHost: rehearsal\r\n\r\n");

    /// <summary>Sends one of each, on a connection of their own.</summary>
    /// <exception cref="InvalidDataException">Something else than success came back.</exception>
    /// <exception cref="SocketException">The connection failed.</exception>
    public static async Task PlayAsync(IPEndPoint gateway, CancellationToken cancellationToken)
    {
        using var socket = new Socket(gateway.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(gateway, cancellationToken);
        await AskAsync(socket, Chat, "0\r\n\r\n", cancellationToken);
        await AskAsync(socket, Completion, "}", cancellationToken);
        await AskAsync(socket, Ready, "ready\n", cancellationToken);
    }

    private static byte[] Request(string path, string body) =>
        Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: rehearsal\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private static async Task AskAsync(Socket socket, byte[] request, string ending, CancellationToken cancellationToken)
    {
        await socket.SendAsync(request, cancellationToken);
        var buffer = new byte[16 << 10];
        var filled = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled), cancellationToken);
            filled += read;
            var answer = Encoding.ASCII.GetString(buffer, 0, filled);
            if (read == 0 || (filled >= 12 && !answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))) throw new InvalidDataException($"the answer was {answer}");
            if (answer.EndsWith(ending, StringComparison.Ordinal)) return;
        }
    }
}
