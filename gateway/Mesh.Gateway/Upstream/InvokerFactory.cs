using System.Net;
using System.Text;
using Mesh.Gateway.Tls;

namespace Mesh.Gateway.Upstream;

/// <summary>Every setting of the HTTP client towards model servers, in one place.</summary>
internal static class InvokerFactory
{
    /// <summary>Below the 5 s after which vLLM's server closes an idle connection, so that it is never us who finds it closed.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(4);

    private const int MaxHeadKib = 64;

    /// <summary>Makes one.</summary>
    /// <param name="connectTimeout">Time to connect, with TLS the handshake too.</param>
    /// <param name="tls">TLS over every connection; null for clear text.</param>
    public static HttpMessageInvoker Create(TimeSpan connectTimeout, UpstreamTlsRule? tls = null) => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = connectTimeout,
            ConnectCallback = tls is null ? UpstreamMessage.ConnectAsync : (context, cancellationToken) => UpstreamMessage.ConnectAsync(context, tls, cancellationToken),
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = IdleTimeout,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            // The router bounds what an endpoint gets; a limit here would only be a second, hidden queue.
            MaxConnectionsPerServer = int.MaxValue,
            MaxResponseHeadersLength = MaxHeadKib,
            // What is left unread of an answer costs less to throw away with its connection than to read.
            MaxResponseDrainSize = 0,
            Expect100ContinueTimeout = TimeSpan.Zero,
            ActivityHeadersPropagator = null,
            // Headers pass as bytes, whatever they mean; received ones are read so by default.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        },
        disposeHandler: true);
}
