using Mesh.Gateway.Hosting;
using Mesh.Gateway.Rehearsing;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Transport;
using Mesh.Gateway.Upstream;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Rehearsing;

public sealed class GatewayRehearsalTests
{
    private static readonly string Category = typeof(GatewayRehearsal).FullName!;

    [Theory]
    [InlineData(UpstreamKind.Sockets, SocketKind.Auto)]
    [InlineData(UpstreamKind.Sockets, SocketKind.Framework)]
    [InlineData(UpstreamKind.Framework, SocketKind.Auto)]
    [InlineData(UpstreamKind.Http2, SocketKind.Auto)]
    internal async Task Begin_GoesThroughTheRequestPath(UpstreamKind upstream, SocketKind sockets)
    {
        var log = new CapturingLoggers(Category);

        // By a clock that stands still: it has all the time that it needs.
        await GatewayRehearsal.Begin(new GatewayOptions { Upstream = upstream, Sockets = sockets }, new ManualTimeProvider(), log).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.StartsWith("Rehearsed in", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Begin_BesideAGateway_CountsNothingThere()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        var before = await gateway.Client.GetStringAsync("/metrics");

        await GatewayRehearsal.Begin(new GatewayOptions(), new ManualTimeProvider(), new CapturingLoggers(Category)).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(Requests(before), Requests(await gateway.Client.GetStringAsync("/metrics")));
        Assert.Empty(backend.Requests);
        Assert.Empty(gateway.Engine.Requests);
    }

    [Fact]
    public async Task Begin_TimeIsUp_EndsAndSaysSo()
    {
        var time = new ManualTimeProvider();
        var log = new CapturingLoggers(Category);
        var rehearsing = GatewayRehearsal.Begin(new GatewayOptions(), time, log);
        while (!rehearsing.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await rehearsing;
        Assert.StartsWith("Could not rehearse", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    private static string[] Requests(string page) =>
        [.. page.Split('\n').Where(l => l.StartsWith("mesh_", StringComparison.Ordinal) && (l.Contains("request", StringComparison.Ordinal) || l.Contains("lease", StringComparison.Ordinal)))];
}
