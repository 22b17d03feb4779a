using System.Net;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Metrics;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests;

public sealed class PageTests
{
    [Fact]
    public async Task Models_AreTheUnionOfReachablePools_EachOnce()
    {
        var hidden = new PoolId("default", "hidden");
        var config = Configs.For(new EndpointId("10.0.0.1:8000"), new EndpointId("10.0.0.2:8000"));
        config = config with { Pools = [.. config.Pools, Configs.PoolOf(hidden, TimeSpan.FromSeconds(1), new EndpointId("10.0.0.3:8000"))] };
        await using var gateway = await TestGateway.StartAsync(config);
        gateway.Engine.Models = ["zeta", "alpha"];
        using var json = JsonDocument.Parse(await gateway.Client.GetStringAsync("/v1/models"));
        Assert.Equal("list", json.RootElement.GetProperty("object").GetString());
        var data = json.RootElement.GetProperty("data").EnumerateArray().ToArray();
        Assert.Equal(["alpha", "zeta"], data.Select(m => m.GetProperty("id").GetString()));
        Assert.All(data, m => Assert.Equal("model", m.GetProperty("object").GetString()));
        Assert.All(data, m => Assert.True(m.GetProperty("created").GetInt64() > 1_700_000_000));
    }

    [Fact]
    public async Task Models_NotKnownYet_IsAnEmptyList()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")));
        gateway.Engine.Models = default;
        Assert.Equal("""{"object":"list","data":[]}""", await gateway.Client.GetStringAsync("/v1/models"));
    }

    [Fact]
    public async Task Ready_FollowsHealthAndSaysWhyNot()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")));
        Assert.Equal("ok\n", await gateway.Client.GetStringAsync("/healthz"));
        Assert.Equal("ready\n", await gateway.Client.GetStringAsync("/readyz"));
        gateway.Engine.Health = EndpointHealth.Unhealthy;
        using var response = await gateway.Client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("not ready: no endpoint of any pool is ready\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Metrics_AfterTraffic_AreWellFormed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id, Configs.Dead()));
        gateway.Engine.Models = ["a\"b\\c"];
        for (var i = 0; i < 4; i++) (await gateway.PostAsync("""{"model":"a\"b\\c","prompt":"hi"}""")).Dispose();
        (await gateway.PostAsync("{")).Dispose();
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the requests end");
        using var response = await gateway.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var page = await response.Content.ReadAsStringAsync();
        var samples = ExpositionFormat.Parse(page);
        Assert.Equal(4, samples["""mesh_requests_total{pool="default/pool",model="a\"b\\c",code="200"}"""]);
        Assert.Equal(1, samples["""mesh_requests_total{pool="",model="",code="400"}"""]);
        Assert.Equal(1, samples["""mesh_refusals_total{reason="invalid_body"}"""]);
        Assert.Equal(gateway.Engine.Requests.Count - 4, samples["""mesh_retries_total{pool="default/pool",reason="connect_failed"}"""]);
        Assert.Equal(4, samples["""mesh_request_duration_seconds_bucket{pool="default/pool",region="r1",cluster="c1",model="a\"b\\c",le="+Inf"}"""]);
        Assert.Equal(4, samples["""mesh_time_to_first_byte_seconds_count{pool="default/pool"}"""]);
        Assert.Equal(0, samples[$$"""mesh_endpoint_in_flight_requests{pool="default/pool",region="r1",cluster="c1",zone="z1",endpoint="{{backend.Id}}"}"""]);
        Assert.Equal(1, samples["mesh_config_version"]);
        Assert.Equal(4, samples["""mesh_decisions_total{pool="default/pool",region="r1",cluster="c1",reason="best_score"}"""] - samples["""mesh_retries_total{pool="default/pool",reason="connect_failed"}"""]);
        Assert.Equal(4, samples["""mesh_request_endings_total{pool="default/pool",ending="complete"}"""]);
        Assert.Equal(1, samples["""mesh_request_endings_total{pool="",ending="refused"}"""]);
    }

    [Fact]
    public async Task AdminAddress_TakesTheMetricsAndNothingElse()
    {
        var admin = FreePorts.NextAddress();
        await using var gateway = await TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")), o => o.AdminAddress = admin.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/readyz")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync($"http://{admin}/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync($"http://{admin}/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync($"http://{admin}/v1/models")).StatusCode);
    }

    [Fact]
    public async Task PortInUse_IsOneClearLine()
    {
        await using var first = await TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")));
        var address = first.Uri.Authority;
        var error = await Assert.ThrowsAsync<GatewayConfigurationException>(
            () => TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")), o => o.Listeners["80"] = address));
        Assert.Contains(address, error.Message, StringComparison.Ordinal);
        Assert.Contains("already in use", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
