using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class MirrorTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private static readonly PoolId Shadow = new("default", "shadow");

    private static MeshConfig Config(ScriptedBackend backend, Mesh.Core.Endpoints.EndpointId shadow, double ratio = 1, TimeSpan? timeout = null)
    {
        var config = Configs.For(backend.Id);
        var filters = new HttpRouteFiltersConfig { Mirrors = [new RequestMirrorConfig(Shadow, ratio)], RequestHeaders = new HeaderEdits([new HeaderValue("X-Set", "1")], [], []) };
        return config with
        {
            Pools = [config.Pools[0], Configs.PoolOf(Shadow, timeout ?? TimeSpan.FromSeconds(30), shadow)],
            Routes = [config.Routes[0] with { Rules = [config.Routes[0].Rules[0] with { Filters = filters }] }],
        };
    }

    [Fact]
    public async Task Mirror_GetsACopyWithALeaseOfItsOwn()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var shadow = ScriptedBackend.Answering(500, "no");
        await using var gateway = await TestGateway.StartAsync(Config(backend, shadow.Id));
        using var response = await gateway.PostAsync(Body, "/v1/completions?q=1", edit: r => r.Headers.Add("X-Kept", "k"));
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(() => gateway.Engine is { InFlight: 0, Outcomes.Count: 2 }, "both leases come back");
        var copy = shadow.Requests.Single();
        Assert.Equal(("POST /v1/completions?q=1 HTTP/1.1", Body, "k", "1"), (copy.RequestLine, copy.Body, copy.Headers["X-Kept"], copy.Headers["X-Set"]));
        Assert.Equal([-1, 0], gateway.Engine.Requests.Select(r => r.Priority).Order());
        Assert.Equal(1, gateway.Host.Metrics.Mirrored.With("default/shadow", "failed").Value);
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }

    [Fact]
    public async Task Mirror_ThatHangs_NeitherDelaysNorFailsTheOriginal()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var shadow = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var gateway = await TestGateway.StartAsync(Config(backend, shadow.Id, timeout: TimeSpan.FromMilliseconds(300)));
        for (var i = 0; i < 5; i++)
        {
            using var response = await gateway.PostAsync(Body).WaitAsync(TimeSpan.FromSeconds(5));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await Eventually.TrueAsync(() => gateway.Engine is { InFlight: 0, Outcomes.Count: 10 }, "all leases come back");
        Assert.Equal(5, gateway.Engine.Outcomes.Count(o => o.Kind == OutcomeKind.Timeout));
    }

    [Fact]
    public async Task Mirror_DeadOrGone_IsOnlyCounted()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Config(backend, Configs.Dead());
        await using var gateway = await TestGateway.StartAsync(config);
        using var first = await gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => gateway.Host.Metrics.Mirrored.With("default/shadow", "failed").Value == 1, "the failure is counted");
        gateway.Host.Apply(config with { Version = 2, Pools = [config.Pools[0]] });
        using var second = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal(1, gateway.Host.Metrics.Mirrored.With("default/shadow", "no_pool").Value);
    }

    [Fact]
    public async Task Mirror_Share_IsThatOfTheRatio()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var shadow = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(backend, shadow.Id, ratio: 0.25));
        for (var i = 0; i < 200; i++)
        {
            using var response = await gateway.PostAsync(Body);
        }

        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back");
        Assert.InRange(gateway.Engine.Requests.Count - 200, 30, 70);
    }
}
