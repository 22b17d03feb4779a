using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tls;
using Mesh.Testing.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mesh.Gateway.Tests.Tls;

/// <summary>A model server that speaks TLS alone.</summary>
internal sealed class TlsBackend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsBackend(WebApplication app, IPEndPoint address)
    {
        _app = app;
        Id = new EndpointId(address.ToString());
    }

    public EndpointId Id { get; }

    /// <summary>Requests: path, protocol, host, name asked for by TLS, subject of the client's certificate.</summary>
    public ConcurrentQueue<(string Path, string Protocol, string Host, string? ServerName, string? Client)> Requests { get; } = new();

    public static async Task<TlsBackend> StartAsync(
        X509Certificate2 certificate, Func<HttpContext, Task>? answer = null, HttpProtocols protocols = HttpProtocols.Http1AndHttp2, X509Certificate2? clientAuthority = null)
    {
        var address = FreePorts.NextAddress();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        TlsBackend? backend = null;
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(server => server.Listen(address, listener =>
        {
            listener.Protocols = protocols;
            listener.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    ClientCertificateRequired = clientAuthority is not null,
                    CertificateChainPolicy = clientAuthority is null ? null : CertificateStore.TrustOf([clientAuthority]),
                    RemoteCertificateValidationCallback = (_, _, _, errors) => clientAuthority is null || errors == SslPolicyErrors.None,
                }),
            });
        }));
        var app = builder.Build();
        app.Run(async context =>
        {
            var request = context.Request;
            backend!.Requests.Enqueue((
                request.Path, request.Protocol, request.Host.Value ?? "", context.Features.Get<ITlsHandshakeFeature>()?.HostName, context.Connection.ClientCertificate?.Subject));
            await (answer is null ? context.Response.WriteAsync("{\"ok\":1}") : answer(context));
        });
        backend = new TlsBackend(app, address);
        await app.StartAsync();
        return backend;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
