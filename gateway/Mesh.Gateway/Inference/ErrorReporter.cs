using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Limits;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Inference;

/// <summary>Tells the client what went wrong, in the way that the state of the answer still allows, and counts it.</summary>
internal sealed class ErrorReporter(GatewayMetrics metrics)
{
    private const int StatusClientGone = 499;

    /// <summary>Answers with an error outside of any inference request.</summary>
    public Task RefuseAsync(HttpContext context, GatewayError error, string message, TimeSpan retryAfter = default)
    {
        metrics.Refusals.With(error.Reason).Increment();
        return ErrorWriter.WriteAsync(context.Response, InferenceApis.DialectOf(context.Request.Path.Value), error, message, retryAfter);
    }

    /// <summary>Answers with an error; the answer has not started. Always false, for callers that go on only when all is well.</summary>
    public async ValueTask<bool> FailAsync(
        InferenceExchange exchange, GatewayError error, string message, TimeSpan retryAfter = default, string? reason = null)
    {
        var response = exchange.Context.Response;
        exchange.Status = error.Status;
        exchange.Failure = reason ?? error.Reason;
        metrics.Refusals.With(reason ?? error.Reason).Increment();
        // Headers of an endpoint's answer may already stand there.
        response.Clear();
        response.Headers[RequestIds.Header] = exchange.RequestId;
        if (error == GatewayErrors.MethodNotAllowed) response.Headers.Allow = ApiPaths.Allowed(ApiPaths.Find(exchange.Context.Request.Path.Value));
        Explanation.AddTo(exchange);
        RateHeaders.Set(response.Headers, exchange.Caller?.Rates);
        try
        {
            await ErrorWriter.WriteAsync(response, exchange.Api.Dialect, error, message, retryAfter, reason);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client left while it was told.
        }

        return false;
    }

    /// <summary>Answers a request whose lifetime ended before its answer began.</summary>
    public async ValueTask EndedAsync(InferenceExchange exchange)
    {
        if (exchange.Context.Response.HasStarted)
        {
            exchange.Context.Abort();
            return;
        }

        switch (exchange.Lifetime.Reason)
        {
            case EndReason.Timeout:
                await FailAsync(exchange, GatewayErrors.Timeout, "The request took longer than it may.");
                break;
            case EndReason.Shutdown:
                await FailAsync(exchange, GatewayErrors.ShuttingDown, "The gateway is stopping.", TimeSpan.FromSeconds(1));
                break;
            default:
                exchange.Status = StatusClientGone;
                exchange.Context.Abort();
                break;
        }
    }

    /// <summary>
    /// Ends an answer that cannot be completed. Not begun: an ordinary error. A stream: an error event, then the end without the
    /// terminator. Anything else: the connection is aborted, because a clean end would pass a part off as the whole.
    /// </summary>
    public async ValueTask BreakAsync(InferenceExchange exchange, GatewayError error, string message, bool isStream, bool isInsideEvent, long nextSequence = 0)
    {
        var response = exchange.Context.Response;
        if (!response.HasStarted)
        {
            await FailAsync(exchange, error, message);
            return;
        }

        exchange.Failure = error.Reason;
        metrics.Refusals.With(error.Reason).Increment();
        if (!isStream || response.ContentLength is not null)
        {
            exchange.Context.Abort();
            return;
        }

        try
        {
            var place = new StreamPlace(isInsideEvent, nextSequence, exchange.RequestId);
            await response.Body.WriteAsync(ErrorWriter.SseEvent(exchange.Api.Dialect, error, message, place));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client left while it was told.
        }
    }

    /// <summary>Answers after a fault of the gateway.</summary>
    public async ValueTask InternalAsync(InferenceExchange exchange)
    {
        if (exchange.Context.Response.HasStarted) exchange.Context.Abort();
        else await FailAsync(exchange, GatewayErrors.Internal, $"The gateway failed. Its log has the reason under request {exchange.RequestId}.");
    }
}
