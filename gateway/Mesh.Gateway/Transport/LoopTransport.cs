using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Gateway.Transport;

/// <summary>Listens for clients whose connections live on <see cref="SocketLoop"/>s; for Kestrel, in place of its own sockets.</summary>
/// <param name="memories">Makes the memory of received bytes.</param>
internal sealed class LoopTransport(IMemoryPoolFactory<byte> memories) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const int Backlog = 512;

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return ValueTask.FromResult<IConnectionListener>(new Listener(socket, memories.Create()));
    }

    private sealed class Listener(Socket socket, MemoryPool<byte> memory) : IConnectionListener
    {
        // As much as the server lets a client send ahead by default.
        private const long MaxUnreadBytes = 1024 * 1024;

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                Socket? accepted = null;
                try
                {
                    accepted = await socket.AcceptAsync(cancellationToken);
                    accepted.NoDelay = true;
                    var connection = new LoopConnection(accepted, memory, MaxUnreadBytes);
                    connection.Start();
                    return connection;
                }
                catch (ObjectDisposedException)
                {
                    accepted?.Dispose();
                    return null;
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
                {
                    accepted?.Dispose();
                    return null;
                }
                catch (Exception e) when (e is SocketException or System.ComponentModel.Win32Exception)
                {
                    // The client has gone while it waited to be accepted.
                    accepted?.Dispose();
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            // The pool is not disposed: a connection that is ending may still give memory back, and the collector takes the rest.
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>Names of connections, for logs.</summary>
internal static class ConnectionIds
{
    private static long _last;

    public static string Next() => Interlocked.Increment(ref _last).ToString("x8", CultureInfo.InvariantCulture);
}
