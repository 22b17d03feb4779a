using System.Net.Sockets;

namespace Mesh.Zmtp.Transport;

/// <summary>A socket whose bytes wake a pooled thread as they come: the least delay, at the price of a wake-up each time.</summary>
internal sealed class WokenTransport(Socket socket) : ZmtpTransport
{
    private readonly Socket _socket = Prepare(socket);

    public WokenTransport()
        : this(new Socket(SocketType.Stream, ProtocolType.Tcp))
    {
    }

    public override ValueTask ConnectAsync(string host, int port, CancellationToken cancellationToken) => _socket.ConnectAsync(host, port, cancellationToken);

    public override ValueTask<int> ReceiveAsync(Memory<byte> room) => _socket.ReceiveAsync(room, SocketFlags.None);

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes) => _socket.SendAsync(bytes, SocketFlags.None);

    public override void Dispose() => _socket.Dispose();
}
