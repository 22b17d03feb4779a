using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Transport;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Tests;

public sealed class AttemptTimeoutTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private static MeshConfig Config(params ScriptedBackend[] backends)
    {
        var config = Configs.For([.. backends.Select(b => b.Id)]);
        return config with { Routes = [config.Routes[0] with { Rules = [config.Routes[0].Rules[0] with { BackendRequestTimeout = TimeSpan.FromMilliseconds(500) }] }] };
    }

    [Fact]
    public async Task Attempt_TooLong_GoesOnElsewhere()
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var answers = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(hangs, answers));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the leases come back");
        Assert.Equal([OutcomeKind.Timeout, OutcomeKind.Success], gateway.Engine.Outcomes.Select(o => o.Kind));
        Assert.Equal(1, gateway.Host.Metrics.Retries.With("default/pool", "timeout").Value);
    }

    [Fact]
    public async Task Attempt_EachTooLong_Is504()
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var hangsToo = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var andThird = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var gateway = await TestGateway.StartAsync(Config(hangs, hangsToo, andThird));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.GatewayTimeout, "timeout"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
        Assert.Equal(3, gateway.Engine.Outcomes.Count(o => o.Kind == OutcomeKind.Timeout));
    }

    [Fact]
    public async Task Attempt_TooLongWithinAStream_EndsItWithAnEvent()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Config(backend));
        using var response = await gateway.PostAsync(Body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.StartsWith("data: 1\n\ndata: {\"error\":", text, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"timeout\"", text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back");
        Assert.Equal(OutcomeKind.Timeout, gateway.Engine.Outcomes.Single().Kind);
    }

    [Theory]
    [InlineData("Sockets", "Auto")]
    [InlineData("Sockets", "Framework")]
    [InlineData("Framework", "Auto")]
    public async Task HeadTimeout_GoesOnElsewhere_WhoeverSpeaks(string upstream, string sockets)
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var answers = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(hangs.Id, answers.Id), Speaking(upstream, sockets, o => o.HeadTimeout = TimeSpan.FromSeconds(1)));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0 && hangs.Aborted == 1, "the leases come back, the connection is closed");
        Assert.Equal([OutcomeKind.Timeout, OutcomeKind.Success], gateway.Engine.Outcomes.Select(o => o.Kind));
    }

    [Theory]
    [InlineData("Sockets", "Auto")]
    [InlineData("Sockets", "Framework")]
    [InlineData("Framework", "Auto")]
    public async Task IdleTimeout_EndsTheStreamWithAnEvent_WhoeverSpeaks(string upstream, string sockets)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), Speaking(upstream, sockets, o => o.IdleTimeout = TimeSpan.FromSeconds(1)));
        using var response = await gateway.PostAsync(Body);
        Assert.Contains("\"code\":\"answer_stalled\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0 && backend.Aborted == 1, "the lease comes back, the connection is closed");
        Assert.Equal(OutcomeKind.Timeout, gateway.Engine.Outcomes.Single().Kind);
    }

    private static Action<GatewayOptions> Speaking(string upstream, string sockets, Action<GatewayOptions> set) => options =>
    {
        options.Upstream = Enum.Parse<UpstreamKind>(upstream);
        options.Sockets = Enum.Parse<SocketKind>(sockets);
        set(options);
    };

    [Fact]
    public async Task Attempt_InTime_IsLeftAlone()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(backend));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
    }
}
