using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Support;

/// <summary>A model server that does exactly what a test says, on a real socket.</summary>
internal sealed class ScriptedBackend : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly Func<BackendExchange, Task> _script;
    private readonly Func<Socket, CancellationToken, Task>? _instead;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Socket> _sockets = [];

    private ScriptedBackend(Socket listener, Func<BackendExchange, Task> script, Func<Socket, CancellationToken, Task>? instead)
    {
        _listener = listener;
        _script = script;
        _instead = instead;
        _ = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public EndpointId Id => new(Address.ToString());

    /// <summary>Requests that arrived, in order.</summary>
    public ConcurrentQueue<BackendRequest> Requests { get; } = new();

    /// <summary>Exchanges whose client closed or reset the connection before the script was through.</summary>
    public int Aborted => _aborted;

    private int _aborted;

    /// <summary>Connections accepted so far.</summary>
    public int Connections => _sockets.Count;

    /// <summary>Connections that are still served.</summary>
    public int OpenConnections => _open;

    private int _open;

    /// <param name="script">Plays one exchange.</param>
    /// <param name="instead">Has the connection for itself, and no request is read.</param>
    public static ScriptedBackend Start(Func<BackendExchange, Task> script, Func<Socket, CancellationToken, Task>? instead = null)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(FreePorts.NextAddress().Address, 0));
        listener.Listen(512);
        return new ScriptedBackend(listener, script, instead);
    }

    /// <summary>Answers with a whole body.</summary>
    public static ScriptedBackend Answering(int status, string body, string contentType = "application/json", string extraHeaders = "") =>
        Start(x => x.SendAsync(Http(status, body, contentType, extraHeaders)));

    public static string Http(int status, string body, string contentType = "application/json", string extraHeaders = "") =>
        $"HTTP/1.1 {status} X\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{extraHeaders}\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var socket in _sockets) socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                _sockets.Add(socket);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var owned = socket;
        var reader = new BackendReader(socket);
        var number = 0;
        Interlocked.Increment(ref _open);
        try
        {
            if (_instead is not null)
            {
                await _instead(socket, _stop.Token);
                return;
            }

            while (await reader.ReadAsync(_stop.Token) is { } request)
            {
                Requests.Enqueue(request);
                var exchange = new BackendExchange(socket, request, ++number, _stop.Token);
                await _script(exchange);
                if (exchange.IsClosed) return;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or OperationCanceledException)
        {
            if (!_stop.IsCancellationRequested) Interlocked.Increment(ref _aborted);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}

/// <summary>One request as it arrived.</summary>
internal sealed record BackendRequest(string RequestLine, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>One exchange, for a script to play.</summary>
internal sealed class BackendExchange(Socket socket, BackendRequest request, int number, CancellationToken stop)
{
    /// <summary>Which request of its connection it is, from 1.</summary>
    public int Number => number;

    public BackendRequest Request => request;

    public bool IsClosed { get; private set; }

    public CancellationToken Stop => stop;

    public Task SendAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), SocketFlags.None, stop).AsTask();

    public Task SendChunkAsync(string text) => SendAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    public Task SendStreamHeadAsync() => SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n");

    /// <summary>Sends a reset.</summary>
    public void Reset()
    {
        IsClosed = true;
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>Closes in order.</summary>
    public void Close()
    {
        IsClosed = true;
        socket.Shutdown(SocketShutdown.Both);
        socket.Close();
    }

    /// <summary>Closes after a while, whatever is under way then, while the script goes on.</summary>
    public void CloseAfter(TimeSpan delay) => _ = Task.Delay(delay, stop).ContinueWith(_ => socket.Close(), stop, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>Waits until the other side closes or resets; throws then.</summary>
    public async Task UntilClosedAsync()
    {
        var buffer = new byte[1];
        var read = await socket.ReceiveAsync(buffer, SocketFlags.None, stop);
        throw new IOException($"closed by the other side ({read})");
    }
}
