using System.Net;
using System.Net.Sockets;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>A socket of the framework's: on every system.</summary>
/// <param name="socket">A connected socket that does not block; owned.</param>
internal sealed class ManagedUpstreamSocket(Socket socket) : UpstreamSocket
{
    private readonly Completion _completion = new();

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">It was refused, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<ManagedUpstreamSocket> ConnectAsync(EndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            socket.Blocking = false;
            return new ManagedUpstreamSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override bool Receive(Memory<byte> buffer)
    {
        _completion.Owner = this;
        try
        {
            _completion.SetBuffer(buffer);
            if (socket.ReceiveAsync(_completion)) return true;
            Take();
        }
        catch (ObjectDisposedException)
        {
            Error = SocketError.OperationAborted;
            Received = 0;
        }

        return false;
    }

    public override int Send(ReadOnlySpan<byte> bytes, out SocketError error) => socket.Send(bytes, SocketFlags.None, out error);

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes) => socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None);

    public override void Dispose() => socket.Dispose();

    public override void Free() => _completion.Dispose();

    private void Take()
    {
        Error = _completion.SocketError;
        Received = _completion.BytesTransferred;
    }

    private sealed class Completion() : SocketAsyncEventArgs(true)
    {
        public ManagedUpstreamSocket? Owner { get; set; }

        protected override void OnCompleted(SocketAsyncEventArgs e)
        {
            Owner!.Take();
            Owner.Receiver!.OnReceived();
        }
    }
}
