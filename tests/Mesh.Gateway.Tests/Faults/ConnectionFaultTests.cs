using System.Net;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;
using static Mesh.Gateway.Tests.Faults.FaultClient;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>Endpoints that cannot be reached, or end the connection before they answer.</summary>
public sealed class ConnectionFaultTests
{
    [Fact]
    public async Task Refuses_AnotherEndpointAnswers()
    {
        var dead = Configs.Dead();
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(dead, good.Id));
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(good.Id.Address, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single());
        }

        await SettledAsync(gateway);
        Assert.Equal(4, good.Requests.Count);
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(o.Endpoint == dead ? OutcomeKind.ConnectFailure : OutcomeKind.Success, o.Kind));
        Assert.Equal(gateway.Engine.Outcomes.Count(o => o.Endpoint == dead), gateway.Host.Metrics.Retries.With("default/pool", "connect_failed").Value);
        Assert.Contains(gateway.Engine.Requests, r => r.Excluded.SequenceEqual([dead]));
    }

    [Fact]
    public async Task Refuses_AllOfThem_Is502AfterThreeAttempts()
    {
        var dead = new[] { Configs.Dead(), Configs.Dead(), Configs.Dead(), Configs.Dead() };
        await using var gateway = await TestGateway.StartAsync(Configs.For(dead));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("all_attempts_failed", "server_error"), (error.Code, error.Type));
        Assert.Contains("All 3 attempts", error.Message, StringComparison.Ordinal);
        await SettledAsync(gateway);
        Assert.Equal(3, gateway.Engine.Outcomes.Count);
        Assert.Equal(3, gateway.Engine.Outcomes.Select(o => o.Endpoint).Distinct().Count());
    }

    [Fact]
    public async Task Refuses_TheOnlyOne_Is502()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("all_attempts_failed", (await ErrorBody.ReadAsync(response)).Code);
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task ResetBeforeHead_AnotherEndpointAnswers()
    {
        await using var bad = ScriptedBackend.Start(x =>
        {
            x.Reset();
            return Task.CompletedTask;
        });
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(bad, good);
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await SettledAsync(gateway);
        Assert.Contains(gateway.Engine.Outcomes, o => o.Endpoint == bad.Id && o.Kind == OutcomeKind.ConnectFailure);
        Assert.True(gateway.Host.Metrics.Retries.With("default/pool", "reset").Value > 0);
    }

    [Fact]
    public async Task ClosesIdlePooledConnection_RequestSucceeds()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
            x.Close();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        for (var i = 0; i < 300; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        }

        await SettledAsync(gateway);
    }

    [Fact]
    public async Task NeverAnswers_Is504AfterTheTimeout_AndTheEndpointIsReleased()
    {
        await using var backend = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromMilliseconds(300), backend.Id));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("timeout", "timeout_error"), (error.Code, error.Type));
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.Timeout, gateway.Engine.Outcomes.Single().Kind);
        await Eventually.TrueAsync(() => backend.Aborted == 1, "the endpoint's connection is closed");
    }

    [Fact]
    public async Task RouteTimeout_SmallerThanThePools_Wins()
    {
        await using var backend = ScriptedBackend.Start(x => x.UntilClosedAsync());
        var config = Configs.For(backend.Id) with { Routes = [Configs.RouteTo(Configs.Pool, timeout: TimeSpan.FromMilliseconds(200))] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
    }
}
