using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Engine.Scraping.Orca;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.LoadReports;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Limits;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference;

/// <summary>Passes one endpoint's answer to the client and settles the lease by how that went.</summary>
internal sealed class AnswerRelay(InferenceServices services, ErrorReporter errors)
{
    /// <summary>What endpoints tell of their load beside their answers.</summary>
    public LoadReporter Reports { get; } = new(services);

    /// <summary>Relays and disposes the answer.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask RelayAsync(InferenceExchange exchange, IUpstreamResponse upstream, EndpointId endpoint)
    {
        var response = exchange.Context.Response;
        var isStream = upstream.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;
        exchange.Status = response.StatusCode = upstream.StatusCode;
        var loadReport = upstream.CopyHeadersTo(response.Headers);
        if (loadReport is not null && LoadReporter.IsAskedBy(exchange)) response.Headers[OrcaHeader.Name] = loadReport;
        response.Headers[RequestIds.Header] = exchange.RequestId;
        response.Headers[ControlHeaders.Served] = endpoint.Address;
        if (exchange.Forwarded is not null) response.Headers[ForwardedRequest.PlacedHeader] = "1";
        else if (SessionOf.CookieFor(exchange.Session, exchange.Pool!.Config.SessionAffinity, endpoint) is { } cookie) response.Headers.Append("Set-Cookie", cookie);
        if (exchange.Target!.Rule.Filters.ResponseHeaders is { } ruleEdits) HeaderEditing.Apply(response.Headers, ruleEdits);
        if (exchange.BackendRef?.Filters.ResponseHeaders is { } refEdits) HeaderEditing.Apply(response.Headers, refEdits);
        using var edits = AnswerEdits.For(exchange, upstream, isStream);
        // What the client gets is of another length.
        if (edits is not null) response.ContentLength = null;
        Explanation.AddTo(exchange);
        RateHeaders.Set(response.Headers, exchange.Caller?.Rates);
        using var relay = new ResponseRelay(response, upstream, exchange, edits);
        RelayEnd end;
        try
        {
            end = await relay.RunAsync(isStream, exchange.Lifetime.Token);
        }
        finally
        {
            // First of all: an answer that is not wanted any more must stop costing the endpoint.
            await upstream.DisposeAsync();
        }

        switch (end)
        {
            case RelayEnd.Complete:
                exchange.Ending = "complete";
                exchange.Usage = relay.ReadUsage();
                exchange.Lease.Complete(OutcomeFor(upstream.StatusCode), exchange.Usage);
                Reports.Tell(exchange, endpoint, loadReport);
                break;
            case RelayEnd.UpstreamBroken:
                exchange.Ending = response.HasStarted ? "stream_broken" : "broken_answer";
                exchange.Lease.Complete(OutcomeKind.StreamBroken);
                var error = response.HasStarted ? GatewayErrors.StreamBroken : GatewayErrors.BrokenAnswer;
                await errors.BreakAsync(exchange, error, "The model server's answer broke off.", isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            case RelayEnd.UpstreamStalled:
                exchange.Ending = "stalled";
                exchange.Lease.Complete(OutcomeKind.Timeout);
                const string Message = "The model server stopped sending its answer.";
                await errors.BreakAsync(exchange, GatewayErrors.AnswerStalled, Message, isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            default:
                await EndAsync(exchange, relay, isStream);
                break;
        }
    }

    /// <summary>What a complete answer says of its endpoint: a 4xx is an answer, vLLM's 503 a full queue.</summary>
    public static OutcomeKind OutcomeFor(int status) => status switch
    {
        StatusCodes.Status503ServiceUnavailable => OutcomeKind.EndpointFull,
        >= 500 => OutcomeKind.ServerError,
        _ => OutcomeKind.Success,
    };

    /// <summary>What an early end says of the endpoint: only a time-out is its doing.</summary>
    public static OutcomeKind OutcomeFor(EndReason reason) => reason is EndReason.Timeout or EndReason.AttemptTimeout ? OutcomeKind.Timeout : OutcomeKind.ClientGone;

    /// <summary>Label of an early end.</summary>
    public static string EndingFor(EndReason reason) => reason switch
    {
        EndReason.Timeout or EndReason.AttemptTimeout => "timeout",
        EndReason.Shutdown => "shutdown",
        EndReason.EndpointDraining => "endpoint_draining",
        _ => "client_gone",
    };

    private async ValueTask EndAsync(InferenceExchange exchange, ResponseRelay relay, bool isStream)
    {
        var reason = exchange.Lifetime.Reason;
        exchange.Ending = EndingFor(reason);
        // Time that ran out while the client did not read is not the endpoint's fault.
        exchange.Lease.Complete(relay.WaitsForClient ? OutcomeKind.ClientGone : OutcomeFor(reason));
        switch (reason)
        {
            case EndReason.Timeout when !relay.WaitsForClient:
                await errors.BreakAsync(exchange, GatewayErrors.Timeout, "The request took longer than it may.", isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            case EndReason.AttemptTimeout when !relay.WaitsForClient:
                await errors.BreakAsync(exchange, GatewayErrors.Timeout, "The attempt took longer than it may.", isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            case EndReason.EndpointDraining when !relay.WaitsForClient:
                const string Message = "The endpoint was removed and its time to finish is over.";
                await errors.BreakAsync(exchange, GatewayErrors.EndpointDraining, Message, isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            case EndReason.Shutdown when !relay.WaitsForClient:
                await errors.BreakAsync(exchange, GatewayErrors.ShuttingDown, "The gateway is stopping.", isStream, relay.IsInsideEvent, relay.NextSequence);
                break;
            default:
                // Nobody to tell.
                exchange.Context.Abort();
                break;
        }
    }
}
