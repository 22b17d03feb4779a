using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Engine.Tests.Http.Pages;

/// <summary>Answers each request with the very bytes that a test gives, right or wrong, and counts its connections.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Socket, int, Task<bool>> _answer;
    private readonly Task _accepting;
    private int _connections;
    private int _requests;

    /// <param name="answer">Gets the connection and the number of the request, from 0; returns false to close.</param>
    public RawServer(Func<Socket, int, Task<bool>> answer)
    {
        _answer = answer;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The last request's head.</summary>
    public string LastRequest { get; private set; } = "";

    public static async Task SendAsync(Socket socket, string text, int pieceBytes = int.MaxValue)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var at = 0; at < bytes.Length; at += Math.Min(pieceBytes, bytes.Length - at))
            await socket.SendAsync(bytes.AsMemory(at, Math.Min(pieceBytes, bytes.Length - at)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = socket;
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var length = 0;
                while (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
                {
                    var read = await socket.ReceiveAsync(buffer.AsMemory(length), _stop.Token);
                    if (read == 0) return;
                    length += read;
                }

                LastRequest = Encoding.Latin1.GetString(buffer, 0, length);
                if (!await _answer(socket, Interlocked.Increment(ref _requests) - 1)) return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }
    }
}
