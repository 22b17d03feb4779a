using System.Net.Sockets;
using Mesh.Gateway.Tls;

namespace Mesh.Gateway.Upstream;

/// <summary>A request that knows whether a connection was opened for it: only then its connection was surely not an idle one.</summary>
internal sealed class UpstreamMessage(HttpMethod method, Uri uri) : HttpRequestMessage(method, uri)
{
    private volatile bool _hasFreshConnection;

    /// <summary>True when a connection was opened for this request.</summary>
    public bool HasFreshConnection => _hasFreshConnection;

    /// <summary>As <see cref="ConnectAsync(SocketsHttpConnectionContext, CancellationToken)"/>, with TLS: the stack takes such a stream for what https asks.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, UpstreamTlsRule tls, CancellationToken cancellationToken)
    {
        var stream = await ConnectAsync(context, cancellationToken);
        return await tls.HandshakeAsync(stream, context.DnsEndPoint.Host, tls.Http2, cancellationToken);
    }

    /// <summary>Opens a connection and marks the request that it is opened for.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage is UpstreamMessage message) message._hasFreshConnection = true;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
