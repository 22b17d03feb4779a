using System.Net.Security;
using System.Net.Sockets;
using Mesh.Core.Endpoints;

namespace Mesh.Engine.Http;

/// <summary>
/// Every setting of the connections on which the engine looks after endpoints, in one place, but for pages of metrics, which
/// have a client of their own. Requests of users do not travel here.
/// </summary>
internal sealed class EngineHttpHandlers : IDisposable
{
    /// <summary>vLLM's server closes a connection that has been idle for 5 s: ours must let go first, or a request meets the close.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(4);

    /// <summary>Option of a request to an endpoint that has TLS of its own kind; the request's scheme is https then.</summary>
    public static readonly HttpRequestOptionsKey<SecureConnection> Security = new("mesh.security");

    private readonly Func<EndpointId, SecureConnection?>? _security;

    public EngineHttpHandlers(TimeSpan connectTimeout, Func<EndpointId, SecureConnection?>? security = null)
    {
        _security = security;
        ModelLists = new HttpMessageInvoker(Create(connectTimeout));
        Probes = new HttpMessageInvoker(CreateForProbes(connectTimeout));
        ProxiedProbes = new HttpMessageInvoker(WithProxyLine(CreateForProbes(connectTimeout)));
    }

    /// <summary>Lists of models.</summary>
    public HttpMessageInvoker ModelLists { get; }

    /// <summary>Health probes: each on a connection of its own, because whether one opens is part of the question.</summary>
    public HttpMessageInvoker Probes { get; }

    /// <summary>Health probes that send a PROXY protocol line first.</summary>
    public HttpMessageInvoker ProxiedProbes { get; }

    /// <summary>What puts TLS over connections to an endpoint; null for clear text.</summary>
    public SecureConnection? SecurityOf(EndpointId endpoint) => _security?.Invoke(endpoint);

    public void Dispose()
    {
        ModelLists.Dispose();
        Probes.Dispose();
        ProxiedProbes.Dispose();
    }

    private static SocketsHttpHandler Create(TimeSpan connectTimeout) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = connectTimeout,
        PooledConnectionIdleTimeout = IdleTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        MaxResponseHeadersLength = 64,
        MaxResponseDrainSize = 0,
        ConnectCallback = static (context, cancellationToken) => ConnectAsync(context, sendsProxyLine: false, cancellationToken),
    };

    private static SocketsHttpHandler CreateForProbes(TimeSpan connectTimeout)
    {
        var handler = Create(connectTimeout);
        handler.PooledConnectionLifetime = TimeSpan.Zero;
        // A probe asks whether the endpoint answers, not who it is: pods serve certificates for names that their addresses are not.
        handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true };
        return handler;
    }

    private static SocketsHttpHandler WithProxyLine(SocketsHttpHandler handler)
    {
        handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(context, sendsProxyLine: true, cancellationToken);
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, bool sendsProxyLine, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            if (sendsProxyLine) await socket.SendAsync(ProxyProtocol.Line(socket), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        // The client takes a stream that speaks TLS already for what https asks.
        return context.InitialRequestMessage.Options.TryGetValue(Security, out var secure) ? await secure(stream, cancellationToken).ConfigureAwait(false) : stream;
    }
}
