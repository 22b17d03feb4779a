using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Probing;
using Mesh.Engine.Telemetry;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Engine.Tests.Probing;

public sealed class EndpointProberTests : IDisposable
{
    private static readonly HealthCheckConfig Check = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly EngineHttpHandlers _handlers = new(TimeSpan.FromSeconds(2));
    private readonly EngineMetrics _metrics = new();
    private readonly EndpointProber _prober;

    public EndpointProberTests() => _prober = new EndpointProber(_handlers, new EngineOptions(), TimeProvider.System, _metrics);

    public void Dispose()
    {
        _handlers.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Http_PathHostAndFreshConnections_AreAsTheCheckSays()
    {
        var seen = new List<string>();
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            seen.Add($"{context.Request.Host} {context.Request.Path}{context.Request.QueryString} {context.Connection.Id}");
            return Task.CompletedTask;
        });

        var check = Check with { RequestPath = "/ready?deep=1", Host = "model.example", Port = server.Port };
        Assert.Equal(IoFailureKind.None, (await ProbeAsync(new EndpointId("127.0.0.1:1"), check)).Kind);
        Assert.Equal(IoFailureKind.None, (await ProbeAsync(server.Id, check with { Host = null })).Kind);

        Assert.StartsWith("model.example /ready?deep=1 ", seen[0], StringComparison.Ordinal);
        Assert.StartsWith($"127.0.0.1:{server.Port} /ready?deep=1 ", seen[1], StringComparison.Ordinal);
        Assert.NotEqual(seen[0].Split(' ')[2], seen[1].Split(' ')[2]);
    }

    [Theory]
    [InlineData(200, IoFailureKind.None)]
    [InlineData(204, IoFailureKind.Status)]
    [InlineData(302, IoFailureKind.Status)]
    [InlineData(503, IoFailureKind.Status)]
    public async Task Http_Status_Only200Succeeds(int status, object expected)
    {
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        Assert.Equal(expected, (await ProbeAsync(server.Id, Check)).Kind);
    }

    [Theory]
    [InlineData("", 0, IoFailureKind.None)]
    [InlineData("ok", 0, IoFailureKind.None)]
    [InlineData("ok", 1022, IoFailureKind.None)]
    [InlineData("ok", 1023, IoFailureKind.Malformed)]
    [InlineData("nok!", 0, IoFailureKind.Malformed)]
    public async Task Http_ExpectedResponse_MustStandInTheFirst1024Bytes(string expectedText, int before, object expected)
    {
        await using var server = await ScriptedServer.StartAsync(context => context.Response.WriteAsync(new string('.', before) + "ok, everything is fine"));

        Assert.Equal(expected, (await ProbeAsync(server.Id, Check with { ExpectedResponse = expectedText })).Kind);
    }

    [Fact]
    public async Task Http_NoAnswer_TimesOut()
    {
        await using var server = await ScriptedServer.StartAsync(
            context => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default));

        var failure = await ProbeAsync(server.Id, Check with { Timeout = TimeSpan.FromMilliseconds(200) });

        Assert.Equal((IoFailureKind.Timeout, "no answer within 0.2 s"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData(HealthCheckType.Http)]
    [InlineData(HealthCheckType.Http2)]
    [InlineData(HealthCheckType.Https)]
    [InlineData(HealthCheckType.Tcp)]
    [InlineData(HealthCheckType.Grpc)]
    public async Task AnyType_NobodyListens_FailsToConnect(HealthCheckType type)
    {
        var server = await ScriptedServer.StartAsync(new Dictionary<string, Func<string>>());
        await server.KillAsync();

        var failure = await ProbeAsync(server.Id, Check with { Type = type });

        Assert.Equal((IoFailureKind.Connect, "Connection refused"), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task Http2_ClearText_SpeaksItAtOnce()
    {
        var protocol = "";
        await using var server = await ScriptedServer.StartAsync(
            context =>
            {
                protocol = context.Request.Protocol;
                return Task.CompletedTask;
            },
            listen => listen.Protocols = HttpProtocols.Http2);

        for (var i = 0; i < 2; i++) Assert.Equal(IoFailureKind.None, (await ProbeAsync(server.Id, Check with { Type = HealthCheckType.Http2 })).Kind);
        Assert.Equal("HTTP/2", protocol);
        Assert.NotEqual(IoFailureKind.None, (await ProbeAsync(server.Id, Check)).Kind);
    }

    [Fact]
    public async Task Https_CertificateOfNobody_IsGoodEnough()
    {
        using var certificate = SelfSigned();
        await using var server = await ScriptedServer.StartAsync(_ => Task.CompletedTask, listen => listen.UseHttps(certificate));

        Assert.Equal(IoFailureKind.None, (await ProbeAsync(server.Id, Check with { Type = HealthCheckType.Https })).Kind);
        Assert.NotEqual(IoFailureKind.None, (await ProbeAsync(server.Id, Check)).Kind);
    }

    [Fact]
    public async Task Tcp_OpenPort_Succeeds()
    {
        await using var server = await ScriptedServer.StartAsync(_ => Task.CompletedTask);

        Assert.Equal(IoFailureKind.None, (await ProbeAsync(server.Id, Check with { Type = HealthCheckType.Tcp })).Kind);
    }

    [Theory]
    [InlineData("00000000020801", "0", IoFailureKind.None)]
    [InlineData("00000000020802", "0", IoFailureKind.Status)]
    [InlineData("", "12", IoFailureKind.Status)]
    [InlineData("0000", "0", IoFailureKind.Malformed)]
    public async Task Grpc_Health_IsTheServicesStatus(string answer, string status, object expected)
    {
        var asked = "";
        await using var server = await ScriptedServer.StartAsync(
            async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                asked = $"{context.Request.Path} {context.Request.ContentType} {Convert.ToHexString(body.ToArray())}";
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.WriteAsync(Convert.FromHexString(answer));
                context.Response.AppendTrailer("grpc-status", status);
            },
            listen => listen.Protocols = HttpProtocols.Http2);

        var failure = await ProbeAsync(server.Id, Check with { Type = HealthCheckType.Grpc, GrpcServiceName = "vllm" });

        Assert.Equal(expected, failure.Kind);
        Assert.Equal("/grpc.health.v1.Health/Check application/grpc 00000000060A04766C6C6D", asked);
    }

    [Theory]
    [InlineData(HealthCheckType.Http)]
    [InlineData(HealthCheckType.Tcp)]
    public async Task ProxyV1_Line_ComesBeforeAnythingElse(HealthCheckType type)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var received = AnswerOnceAsync(listener);

        var failure = await ProbeAsync(new EndpointId($"127.0.0.1:{port}"), Check with { Type = type, ProxyV1 = true });

        Assert.Equal((IoFailureKind.None, "success"), (failure.Kind, failure.Message));
        Assert.Matches($@"^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ {port}\r\n{(type == HealthCheckType.Http ? "GET /health HTTP/1.1" : "$")}", await received);
    }

    [Fact]
    public void ProxyLine_IPv6_NamesItsFamily()
    {
        var line = ProxyProtocol.Line(new IPEndPoint(IPAddress.IPv6Loopback, 1), new IPEndPoint(IPAddress.Parse("fd00::1"), 2));

        Assert.Equal("PROXY TCP6 ::1 fd00::1 1 2\r\n", Encoding.ASCII.GetString(line));
    }

    private static async Task<string> AnswerOnceAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length));
            length += read;
            var text = Encoding.ASCII.GetString(buffer, 0, length);
            if (read != 0 && !text.EndsWith("\r\n\r\n", StringComparison.Ordinal)) continue;
            if (read != 0) await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            return text;
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=nobody", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private Task<IoFailure> ProbeAsync(EndpointId endpoint, HealthCheckConfig check) => _prober.ProbeAsync(endpoint, check, default);
}
