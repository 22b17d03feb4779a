using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Mesh.Core.HttpRouting;
using Mesh.Gateway.Hosting;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mesh.Gateway.Tls;

/// <summary>Handshakes of HTTPS listeners: which certificate a client sees, by the name that it asks for and the configuration in force at that moment.</summary>
internal sealed class ListenerTls(CertificateStore certificates, TimeSpan handshakeTimeout)
{
    private volatile RoutingState? _state;

    /// <summary>The configuration that ports and names are looked up in.</summary>
    public void Follow(RoutingState state) => _state = state;

    /// <summary>Puts TLS before HTTP where the listener's manifest says HTTPS.</summary>
    public void Configure(ListenOptions listener)
    {
        if (listener.IPEndPoint is not { } address || _state?.TableFor(address.Port) is not { IsTls: true }) return;
        listener.Protocols = HttpProtocols.Http1AndHttp2;
        listener.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = handshakeTimeout, OnConnection = ChooseAsync });
    }

    /// <summary>
    /// True when the host of a request belongs to another listener than the name of its connection: what that listener asks of clients,
    /// such as a certificate of theirs, was then never asked.
    /// </summary>
    public static bool IsMisdirected(HttpContext context, PortTable? table)
    {
        if (table is not { IsTls: true } || context.Features.Get<ITlsHandshakeFeature>() is not { } tls) return false;
        var host = HostOf(context.Request.Host.Value);
        if (host.Equals(tls.HostName, StringComparison.OrdinalIgnoreCase)) return false;
        var asked = table.CertificatesFor(tls.HostName);
        var wanted = table.CertificatesFor(host);
        return !asked.IsDefault && !wanted.IsDefault && !asked.AsSpan().SequenceEqual(wanted.AsSpan());
    }

    private static ReadOnlySpan<char> HostOf(string? host)
    {
        var span = host.AsSpan();
        var colon = span.LastIndexOf(':');
        return colon >= 0 && !span.EndsWith("]") ? span[..colon] : span;
    }

    private ValueTask<SslServerAuthenticationOptions> ChooseAsync(TlsHandshakeCallbackContext handshake)
    {
        var port = (handshake.Connection.LocalEndPoint as IPEndPoint)?.Port ?? 0;
        var name = handshake.ClientHelloInfo.ServerName;
        ImmutableArray<string> names = _state?.TableFor(port)?.CertificatesFor(name) ?? default;
        if (!names.IsDefault)
        {
            foreach (var certificate in names)
            {
                if (certificates.Find(certificate) is { } found) return ValueTask.FromResult(found);
            }
        }

        throw new AuthenticationException($"No HTTPS listener of port {port} has a certificate for '{name}'.");
    }
}
