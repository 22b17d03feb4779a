using System.Net;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class FlowControlTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    [Theory]
    [InlineData(DecisionReason.Saturated, 1200, 429, "rate_limit_error", "saturated", "2")]
    [InlineData(DecisionReason.PriorityShed, 4000, 429, "rate_limit_error", "priority_shed", "4")]
    [InlineData(DecisionReason.QueueFull, 1, 429, "rate_limit_error", "queue_full", "1")]
    [InlineData(DecisionReason.QueueEvicted, 0, 429, "rate_limit_error", "queue_evicted", "1")]
    [InlineData(DecisionReason.QueueTimeout, 61_000, 429, "rate_limit_error", "queue_timeout", "61")]
    [InlineData(DecisionReason.TooManyLeases, 0, 503, "server_error", "too_many_leases", "1")]
    public async Task Post_Refused_SaysWhyAndWhenToTryAgain(DecisionReason reason, int retryAfterMs, int status, string type, string code, string seconds)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = reason;
        gateway.Engine.RetryAfter = TimeSpan.FromMilliseconds(retryAfterMs);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(status, (int)response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal((type, code), (error.Type, error.Code));
        Assert.Equal(code, response.Headers.GetValues("x-mesh-reason").Single());
        Assert.Equal(seconds, response.Headers.GetValues("Retry-After").Single());
        Assert.Equal(1, gateway.Host.Metrics.Refusals.With(code).Value);
    }

    [Fact]
    public async Task Waiting_ClientLeaves_IsCancelledAtOnce()
    {
        var cancelled = new TaskCompletionSource();
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.BeforeRoute = async (_, token) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            catch (OperationCanceledException)
            {
                cancelled.TrySetResult();
                throw;
            }
        };
        using var leaving = new CancellationTokenSource();
        var posting = gateway.PostAsync(Body, cancellationToken: leaving.Token);
        await Eventually.TrueAsync(() => !gateway.Engine.Requests.IsEmpty, "the request waits");
        await leaving.CancelAsync();
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => posting);
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the request ends");
        Assert.Equal(1, gateway.Host.Metrics.Requests.With("default/pool", "m1", "499").Value);
    }

    [Fact]
    public async Task Waiting_TimeRunsOut_Is504()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromMilliseconds(150), Configs.Dead()));
        gateway.Engine.BeforeRoute = (_, token) => Task.Delay(Timeout.Infinite, token);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.GatewayTimeout, "timeout"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
    }
}
