using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class DrainingTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private static MeshConfig Config(TimeSpan? draining, long version, params EndpointId[] endpoints)
    {
        var config = Configs.For(endpoints);
        var pool = config.Pools[0] with { DrainingTimeout = draining ?? TimeSpan.Zero, DrainingLimit = draining };
        return config with { Version = version, Pools = [pool] };
    }

    private static ScriptedBackend Streaming(SemaphoreSlim end) => ScriptedBackend.Start(async x =>
    {
        await x.SendStreamHeadAsync();
        await x.SendChunkAsync("data: 1\n\n");
        await end.WaitAsync(x.Stop);
        await x.SendChunkAsync("data: [DONE]\n\n");
        await x.SendAsync("0\r\n\r\n");
    });

    [Fact]
    public async Task Removed_BeforeTheAnswerBegan_FailsOverAtOnce()
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var answers = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(null, 1, hangs.Id), o => o.MaxRetries = 0);
        var posting = gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => !hangs.Requests.IsEmpty, "the request is there");
        Apply(gateway, Config(null, 2, answers.Id));
        using var response = await posting.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal((HttpStatusCode.OK, answers.Id.Address), (response.StatusCode, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single()));
        await Eventually.TrueAsync(() => gateway.Engine is { InFlight: 0, Outcomes.Count: 2 } && hangs.Aborted == 1, "both leases come back, the old request is aborted");
        Assert.Equal([OutcomeKind.ClientGone, OutcomeKind.Success], gateway.Engine.Outcomes.Select(o => o.Kind));
        Assert.Equal(1, gateway.Host.Metrics.Retries.With("default/pool", "endpoint_removed").Value);
    }

    [Fact]
    public async Task Removed_WithItsPool_FollowsTheRoute()
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var answers = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(null, 1, hangs.Id));
        var posting = gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => !hangs.Requests.IsEmpty, "the request is there");
        Apply(gateway, Configs.With(new PoolId("default", "next"), TimeSpan.FromSeconds(30), answers.Id) with { Version = 2 });
        using var response = await posting.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("next", gateway.Engine.Requests.Last().Pool.Name);
    }

    [Fact]
    public async Task Removed_StreamWithATimeout_EndsWithAnEvent()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = Streaming(end);
        await using var gateway = await TestGateway.StartAsync(Config(TimeSpan.FromMilliseconds(300), 1, backend.Id));
        using var response = await gateway.PostAsync(Body);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await reader.ReadLineAsync());
        var reading = reader.ReadToEndAsync();
        Apply(gateway, Config(null, 2, Configs.Dead()));
        await Task.Delay(100);
        Assert.False(reading.IsCompleted);
        var rest = await reading.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Contains("\"code\":\"endpoint_draining\"", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back");
        Assert.Equal(OutcomeKind.ClientGone, gateway.Engine.Outcomes.Single().Kind);
        Assert.Equal(1, gateway.Host.Metrics.Endings.With("default/pool", "endpoint_draining").Value);
    }

    [Fact]
    public async Task Removed_StreamWithZeroTimeout_EndsAtOnce()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = Streaming(end);
        await using var gateway = await TestGateway.StartAsync(Config(TimeSpan.Zero, 1, backend.Id));
        using var response = await gateway.PostAsync(Body);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await reader.ReadLineAsync());
        Apply(gateway, Config(null, 2, Configs.Dead()));
        Assert.Contains("endpoint_draining", await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(5)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(30_000)]
    public async Task Removed_StreamWithTimeLeftOrNoLimit_Finishes(int? drainingMs)
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = Streaming(end);
        TimeSpan? draining = drainingMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null;
        await using var gateway = await TestGateway.StartAsync(Config(draining, 1, backend.Id));
        using var response = await gateway.PostAsync(Body);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await reader.ReadLineAsync());
        Apply(gateway, Config(null, 2, Configs.Dead()));
        Apply(gateway, Config(null, 3, Configs.Dead()));
        await Task.Delay(100);
        end.Release();
        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(5)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removed_AnotherEndpoint_LeavesRequestsAlone()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = Streaming(end);
        var other = Configs.Dead();
        await using var gateway = await TestGateway.StartAsync(Config(TimeSpan.Zero, 1, backend.Id, other));
        using var response = await gateway.PostAsync(Body);
        Apply(gateway, Config(TimeSpan.Zero, 2, backend.Id));
        await Task.Delay(50);
        end.Release();
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edits_UnderLoad_LoseNoRequest()
    {
        await using var a = ScriptedBackend.Start(async x =>
        {
            await Task.Delay(3, x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var b = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(TimeSpan.FromSeconds(5), 1, a.Id, b.Id));
        using var stop = new CancellationTokenSource();
        var editing = Task.Run(async () =>
        {
            for (var version = 2L; !stop.IsCancellationRequested; version++)
            {
                Apply(gateway, version % 2 == 0 ? Config(TimeSpan.FromSeconds(5), version, b.Id) : Config(TimeSpan.FromSeconds(5), version, a.Id, b.Id));
                await Task.Delay(10);
            }
        });
        await Parallel.ForEachAsync(Enumerable.Range(0, 600), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        });
        await stop.CancelAsync();
        await editing;
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back");
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }

    private static void Apply(TestGateway gateway, MeshConfig config) => gateway.Host.Apply(config);
}
