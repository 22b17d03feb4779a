using System.Net.Sockets;
using Mesh.Gateway.Transport;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>A connected socket to an endpoint. One receive at a time; <see cref="Dispose"/> may be called from any thread and ends the receive that is under way.</summary>
internal abstract class UpstreamSocket : IDisposable
{
    /// <summary>Learns that a receive has completed; set before the first one.</summary>
    public IReceiver? Receiver { get; set; }

    /// <summary>Bytes that the last receive brought; 0 at the end.</summary>
    public int Received { get; protected set; }

    /// <summary>How the last receive ended.</summary>
    public SocketError Error { get; protected set; }

    /// <summary>The loop that tells of it; null where there is none.</summary>
    public SocketLoop? Loop { get; protected init; }

    /// <summary>Begins a receive. True when it is under way and <see cref="Receiver"/> will be told; false when it has completed already, and nobody is told.</summary>
    public abstract bool Receive(Memory<byte> buffer);

    /// <summary>Sends what the socket takes without waiting; −1 with an error, <see cref="SocketError.WouldBlock"/> when it takes nothing now.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public abstract int Send(ReadOnlySpan<byte> bytes, out SocketError error);

    /// <summary>Sends some bytes, waiting until the socket takes any.</summary>
    /// <exception cref="SocketException">The connection has ended.</exception>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public abstract ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Closes it.</summary>
    public abstract void Dispose();

    /// <summary>No receive is under way any more and none will be begun.</summary>
    public virtual void Free()
    {
    }
}

/// <summary>Who receives from an <see cref="UpstreamSocket"/>.</summary>
internal interface IReceiver
{
    /// <summary>A receive that was under way has completed.</summary>
    void OnReceived();
}
