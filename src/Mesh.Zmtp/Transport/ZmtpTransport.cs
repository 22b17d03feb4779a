using System.Net.Sockets;

namespace Mesh.Zmtp.Transport;

/// <summary>
/// The TCP connection under a ZMTP connection. One receive and one send at a time; <see cref="Dispose"/> may come from any thread, at any
/// time, and ends both with an <see cref="ObjectDisposedException"/> or a <see cref="SocketException"/>.
/// </summary>
internal abstract class ZmtpTransport : IDisposable
{
    /// <summary>Connects to the first address of the host that answers.</summary>
    public abstract ValueTask ConnectAsync(string host, int port, CancellationToken cancellationToken);

    /// <summary>Waits for bytes; 0 when the peer has closed.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> room);

    /// <summary>Sends at least one of the bytes; answers how many.</summary>
    public abstract ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes);

    public abstract void Dispose();

    /// <summary>What every socket here is set to.</summary>
    protected static Socket Prepare(Socket socket)
    {
        socket.NoDelay = true;
        // Peers of 3.0 have no heartbeat: the operating system notices for us when their machine is gone.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        return socket;
    }
}
