using System.Collections.Frozen;
using Mesh.Gateway.Upstream;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Tls;

/// <summary>Sends what goes to endpoints with TLS over connections of their rule, and everything else as before.</summary>
internal sealed class TlsUpstreamClient : IUpstreamClient
{
    private readonly UpstreamTls _tls;
    private readonly IUpstreamClient _plain;
    private readonly FrozenDictionary<UpstreamTlsRule, InvokerUpstreamClient> _clients;

    private TlsUpstreamClient(UpstreamTls tls, IUpstreamClient plain, UpstreamLimits limits)
    {
        _tls = tls;
        _plain = plain;
        _clients = tls.Rules.ToFrozenDictionary(r => r, r => new InvokerUpstreamClient(limits, r));
    }

    /// <summary>The client for these rules: the plain one itself when there are none. Owns the plain one.</summary>
    public static IUpstreamClient For(UpstreamTls tls, IUpstreamClient plain, UpstreamLimits limits) =>
        tls.Rules.Any() ? new TlsUpstreamClient(tls, plain, limits) : plain;

    public ValueTask<UpstreamResult> SendAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
        _tls.For(request.Endpoint) is { } rule ? _clients[rule].SendAsync(request, cancellationToken) : _plain.SendAsync(request, cancellationToken);

    public void Dispose()
    {
        _plain.Dispose();
        foreach (var client in _clients.Values) client.Dispose();
    }
}
