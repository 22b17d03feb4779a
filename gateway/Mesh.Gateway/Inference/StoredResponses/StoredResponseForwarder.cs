using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference.StoredResponses;

/// <summary>
/// Asks for a stored response, or cancels it, at the endpoint that its id names. There is nothing to choose and next to nothing to compute,
/// so these requests take no lease and never wait: a cancellation must not stand in the queue that it shortens.
/// </summary>
internal sealed class StoredResponseForwarder(InferenceServices services, ErrorReporter errors)
{
    private readonly AnswerRelay _relay = new(services, errors);

    /// <summary>Forwards a matched request.</summary>
    public async ValueTask ForwardAsync(InferenceExchange exchange)
    {
        exchange.Body ??= new PooledBody([], 0);
        var id = InferenceApis.ResponseId(exchange.Context.Request.Path.Value!).ToString();
        if (!ResponseIds.TryReadTag(id, out var tag) || exchange.State!.EndpointByTag(tag) is not { } endpoint || FindPool(exchange, endpoint) is not { } pool)
        {
            await errors.FailAsync(exchange, GatewayErrors.ResponseNotFound, $"No endpoint here keeps a response `{id}`.");
            return;
        }

        if (exchange.Caller is { Models.IsAny: false } caller && !(ResponseIds.ModelOf(id) is { } model && caller.Models.Matches(model)))
        {
            await errors.FailAsync(exchange, GatewayErrors.ModelNotAllowed, $"Key `{caller.Id}` may not use the model of response `{id}`.");
            return;
        }

        exchange.PoolId = pool;
        exchange.Pool = exchange.State!.Pool(pool);
        exchange.Endpoint = endpoint;
        exchange.Attempts = 1;
        services.Telemetry.AttemptBegins(exchange);
        exchange.Lifetime.BeginAttempt();
        var result = await services.Upstream.SendAsync(UpstreamRequests.For(exchange, endpoint, services.Keys), exchange.Lifetime.Token);
        if (result.Response is { } response)
        {
            await _relay.RelayAsync(exchange, response, endpoint);
        }
        else if (result.Failure == UpstreamFailure.Cancelled)
        {
            exchange.Ending = AnswerRelay.EndingFor(exchange.Lifetime.Reason);
            await errors.EndedAsync(exchange);
        }
        else
        {
            // Nobody else has it, so there is nobody to try.
            exchange.Ending = "all_attempts_failed";
            await errors.FailAsync(exchange, GatewayErrors.AllAttemptsFailed, "The endpoint that keeps the response did not answer.");
        }
    }

    /// <summary>A pool with the endpoint: of the rule, else of the listener; never of another listener.</summary>
    private static PoolId? FindPool(InferenceExchange exchange, EndpointId endpoint)
    {
        var state = exchange.State!;
        foreach (var backend in exchange.Target!.Backends)
        {
            if (state.Has(backend.Pool, endpoint)) return backend.Pool;
        }

        if (state.TableFor(exchange.Context.Connection.LocalPort) is not { } table) return null;
        foreach (var pool in table.Pools)
        {
            if (state.Has(pool, endpoint)) return pool;
        }

        return null;
    }
}
