using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Retrying;

/// <summary>Every endpoint fails, and thousands of requests come: how often each is sent.</summary>
public sealed class RetryStormTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const int Requests = 2000;

    [Fact]
    public async Task AllEndpointsFull_AThousandRequestsPerSecond_AttemptsStayWithinTheBudget()
    {
        var backends = Enumerable.Range(0, 4).Select(_ => ScriptedBackend.Answering(503, "{}")).ToArray();
        var (attempts, bound, gateway) = await StormAsync([.. backends.Select(b => b.Id)], HttpStatusCode.ServiceUnavailable, freeFailovers: 0);
        await using var owned = gateway;
        Assert.InRange(attempts, Requests + 1, bound);
        Assert.Equal(attempts, backends.Sum(b => b.Requests.Count));
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(OutcomeKind.EndpointFull, o.Kind));
        foreach (var backend in backends) await backend.DisposeAsync();
    }

    [Fact]
    public async Task AllEndpointsRefuse_AThousandRequestsPerSecond_EachGoesOnOnceAndThenWithinTheBudget()
    {
        EndpointId[] dead = [Configs.Dead(), Configs.Dead(), Configs.Dead(), Configs.Dead()];
        var (attempts, bound, gateway) = await StormAsync(dead, HttpStatusCode.BadGateway, freeFailovers: Requests);
        await using var owned = gateway;
        Assert.InRange(attempts, 2 * Requests, bound);
    }

    [Fact]
    public async Task OneEndpointRefuses_NoBudget_EveryRequestIsAnswered()
    {
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead(), good.Id), o => (o.RetryBudget.Share, o.RetryBudget.PerSecond) = (0, 0));
        for (var i = 0; i < 50; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(0, gateway.Host.Metrics.RetriesWithheld.With("default/pool").Value);
    }

    [Fact]
    public async Task NoBudget_SecondFailure_SaysSo()
    {
        await using var gateway = await TestGateway.StartAsync(
            Configs.For(Configs.Dead(), Configs.Dead(), Configs.Dead()), o => (o.RetryBudget.Share, o.RetryBudget.PerSecond) = (0, 0));
        using var response = await gateway.PostAsync(Body);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal("all_attempts_failed", error.Code);
        Assert.Contains("All 2 attempts", error.Message, StringComparison.Ordinal);
        Assert.Contains("retry budget", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, gateway.Host.Metrics.RetriesWithheld.With("default/pool").Value);
    }

    [Fact]
    public async Task OnlyEndpointFull_WithoutAnotherOne_UsesNoBudgetUp()
    {
        await using var full = ScriptedBackend.Answering(503, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(full.Id), o => (o.RetryBudget.Share, o.RetryBudget.PerSecond) = (0, 1));
        for (var i = 0; i < 50; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }

        Assert.Equal(0, gateway.Host.Metrics.RetriesWithheld.With("default/pool").Value);
    }

    private static async Task<(int Attempts, int Bound, TestGateway Gateway)> StormAsync(EndpointId[] endpoints, HttpStatusCode expected, int freeFailovers)
    {
        var gateway = await TestGateway.StartAsync(Configs.With(new PoolId("default", "pool"), TimeSpan.FromSeconds(30), endpoints));
        var began = TimeProvider.System.GetTimestamp();
        // Each at its time, whatever became of those before it.
        var sent = new Task<HttpStatusCode>[Requests];
        for (var i = 0; i < Requests; i++)
        {
            while (TimeProvider.System.GetElapsedTime(began).TotalMilliseconds < i) await Task.Delay(1);
            sent[i] = PostAsync(gateway);
        }

        var answers = await Task.WhenAll(sent).WaitAsync(TimeSpan.FromSeconds(60));
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        Assert.All(answers, s => Assert.Equal(expected, s));
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0 && gateway.Host.OpenRequests == 0, "all leases come back");
        var metrics = gateway.Host.Metrics;
        Assert.True(metrics.RetriesWithheld.With("default/pool").Value > 0);
        return (gateway.Engine.Outcomes.Count, freeFailovers + (int)(1.2 * Requests + 10 * seconds) + 101, gateway);
    }

    private static async Task<HttpStatusCode> PostAsync(TestGateway gateway)
    {
        using var response = await gateway.PostAsync(Body);
        await response.Content.ReadAsByteArrayAsync();
        return response.StatusCode;
    }
}
