using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Cli.Tests.Support;

/// <summary>A server that answers each request as a script says, down to the byte. It keeps what it was sent.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<Exchange, Task> _script;
    private readonly Task _accepting;

    public ScriptedServer(Func<Exchange, Task> script)
    {
        _script = script;
        _listener.Start(1024);
        _accepting = AcceptAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Requests so far, head and body, in the order in which they were read.</summary>
    public ConcurrentQueue<(string Head, string Body)> Requests { get; } = [];

    /// <summary>Answers every request with the same bytes.</summary>
    public static ScriptedServer Answering(string answer) => new(exchange => exchange.WriteAsync(answer));

    /// <summary>Head of an answer with a body of server-sent events that the end of the connection ends.</summary>
    public const string StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

    public const string Chunk = "data: {\"choices\":[{\"text\":\" word\"}]}\n\n";

    /// <summary>A whole answer in one piece.</summary>
    public static string Whole(string body, string status = "200 OK", string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                while (await ReadAsync(stream) is { } request)
                {
                    Requests.Enqueue(request);
                    var exchange = new Exchange(client, request.Body, _end.Token);
                    await _script(exchange);
                    if (exchange.IsClosed) return;
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private async Task<(string Head, string Body)?> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[16384];
        while (true)
        {
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                var at = all.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
                var length = at < 0 ? 0 : int.Parse(all[(at + 16)..all.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
                if (all.Length >= end + 4 + length) return (all[..end], all[(end + 4)..]);
            }

            var read = await stream.ReadAsync(buffer, _end.Token);
            if (read == 0) return null;
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    /// <summary>One request and the connection that it came on.</summary>
    internal sealed class Exchange(TcpClient client, string body, CancellationToken end)
    {
        public string Body => body;

        public bool IsClosed { get; private set; }

        public CancellationToken End => end;

        public Task WriteAsync(string text) => client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), end).AsTask();

        /// <summary>Ends the connection in order.</summary>
        public void Close() => IsClosed = true;

        /// <summary>Ends the connection with a reset.</summary>
        public void Reset()
        {
            // The stream's own end would say good-bye first.
            client.Client.LingerState = new LingerOption(true, 0);
            client.Client.Close();
            IsClosed = true;
        }

        /// <summary>Never comes back but with the end of the test.</summary>
        public Task Forever() => Task.Delay(Timeout.Infinite, end);
    }
}
