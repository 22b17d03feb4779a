using System.Net;
using System.Net.Sockets;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

/// <summary>A listener on loopback whose accepted socket sends and receives raw bytes, for what a well-behaved library never does.</summary>
internal sealed class FakePeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Socket? _socket;

    public FakePeer() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async Task AcceptAsync() => _socket = await _listener.AcceptSocketAsync();

    public async Task SendAsync(params byte[] bytes) => await _socket!.SendAsync(bytes);

    /// <summary>Reads exactly so many bytes, in hex.</summary>
    public async Task<string> ReceiveAsync(int count)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await _socket!.ReceiveAsync(bytes.AsMemory(at), timeout.Token);
            if (read == 0) return Convert.ToHexString(bytes, 0, at) + " then closed";
            at += read;
        }
        return Convert.ToHexString(bytes);
    }

    public void Hang(bool reset = false)
    {
        if (reset) _socket!.LingerState = new LingerOption(true, 0);
        _socket!.Close();
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _listener.Dispose();
    }
}
