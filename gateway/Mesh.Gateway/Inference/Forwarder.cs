using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Inference.Draining;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.Mirroring;
using Mesh.Gateway.Inference.Retrying;
using Mesh.Gateway.Inference.Shaping;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference;

/// <summary>
/// Places a matched request, sends it and relays the answer. Attempts that fail before an answer begins go on at another endpoint, a
/// bounded number of times and within the pool's retry budget; a request whose answer has begun is never sent twice.
/// </summary>
internal sealed partial class Forwarder(InferenceServices services, RouteMatcher matcher, Mirrors mirrors, FlightRegistry flights, ErrorReporter errors)
{
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    // Each takes an edit of the manifests, so this is only a bound.
    private const int MaxDisplacements = 8;

    private const string TimedOut = "timeout";

    private readonly ILogger _log = services.Loggers.CreateLogger<Forwarder>();
    private readonly AnswerRelay _relay = new(services, errors);
    private readonly PeerForwarder _peers = new(services, new AnswerRelay(services, errors), errors);
    private readonly RetryBudgets _budgets = new(services.Options.RetryBudget, services.Time);
    private readonly DecisionJson _decisionJson = new(services.Time);
    private Func<InferenceExchange, bool>? _mayTryAgain;

    /// <summary>Step 6 of <see cref="InferenceHandler"/>.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ForwardAsync(InferenceExchange exchange)
    {
        mirrors.Send(exchange);
        _budgets.Of(exchange.Pool!.Label).OnRequest();
        var lifetime = exchange.Lifetime;
        // An endpoint that said it is full or unable; its answer is the client's if nobody else is left.
        IUpstreamResponse? spare = null;
        try
        {
            while (true)
            {
                // :: Step 6a: an endpoint, reserved
                FlightRegistry.Remove(exchange);
                lifetime.EndAttempt();
                lifetime.BeginAttempt();
                var placedUnder = services.Configuration.Current;
                var decision = await PlaceAsync(exchange);
                if (decision.Kind == RouteKind.Forward)
                {
                    if (spare is not null) await spare.DisposeAsync();
                    spare = null;
                    if (!await _peers.SendAsync(exchange, decision, _mayTryAgain ??= e => MayTryAgain(e, neverAnswered: true))) return;
                    continue;
                }

                if (decision.Kind != RouteKind.Send)
                {
                    _budgets.NobodyLeft(exchange);
                    if (spare is null) await RefuseAsync(exchange, decision);
                    else await _relay.RelayAsync(exchange, spare, exchange.Endpoint);
                    return;
                }

                exchange.Lease.Take(exchange.PoolId, decision.Lease);
                exchange.Endpoint = decision.Endpoint;
                exchange.PeerRegion = null;
                exchange.Attempts++;
                exchange.HoldsRetry = false;
                services.Telemetry.AttemptBegins(exchange);
                if (spare is not null) await spare.DisposeAsync();
                spare = null;

                // :: Step 6b: send, wait for the head
                if (!flights.TryAdd(exchange, exchange.PoolId, decision.Endpoint, placedUnder))
                {
                    if (!await DisplaceAsync(exchange)) return;
                    continue;
                }

                exchange.PrepareFor(decision.Endpoint);
                lifetime.LimitAttempt(exchange.Target!.Rule.BackendRequestTimeout);
                var asksForLoad = _relay.Reports.ShouldAsk(exchange, decision.Endpoint);
                var result = await services.Upstream.SendAsync(UpstreamRequests.For(exchange, decision.Endpoint, services.Keys, asksForLoad), lifetime.Token);
                if (result.Response is { } response)
                {
                    if (!FlightRegistry.TryBeginAnswer(exchange))
                    {
                        await response.DisposeAsync();
                        if (!await DisplaceAsync(exchange)) return;
                        continue;
                    }

                    if (!IsInability(response.StatusCode) || !MayTryAgain(exchange, neverAnswered: false))
                    {
                        // :: Step 6c: relay
                        await _relay.RelayAsync(exchange, response, decision.Endpoint);
                        return;
                    }

                    spare = response;
                    exchange.Lease.Complete(AnswerRelay.OutcomeFor(response.StatusCode));
                    Retry(exchange, decision.Endpoint, response.StatusCode == 503 ? "endpoint_full" : "bad_gateway", null);
                    continue;
                }

                // :: Step 6d: failed before the head
                if (!await TryAgainAsync(exchange, decision.Endpoint, result)) return;
            }
        }
        finally
        {
            FlightRegistry.Remove(exchange);
            if (spare is not null) await spare.DisposeAsync();
        }
    }

    /// <summary>502, 503 and 504 say that this endpoint could not, not that the request is wrong; vLLM's 503 means that its queue is full.</summary>
    private static bool IsInability(int status) => status is 502 or 503 or 504;

    private async ValueTask<RouteDecision> PlaceAsync(InferenceExchange exchange)
    {
        var began = exchange.Lifetime.Elapsed;
        try
        {
            var decision = await RouteAsync(exchange);
            // The pool may have been removed while the request was under way.
            if (decision.Reason == DecisionReason.UnknownPool && matcher.MatchAgain(exchange)) decision = await RouteAsync(exchange);
            exchange.Decision = decision.Reason;
            exchange.WasRefused = decision.Kind == RouteKind.Refuse;
            if (exchange.IsAsked && services.Engine.Decisions(exchange.PoolId, exchange.RequestId, 1) is [var explained]) exchange.DecisionJson = _decisionJson.ForHeader(explained);
            services.Telemetry.Placed(exchange, decision);
            return decision;
        }
        finally
        {
            exchange.QueueWait += exchange.Lifetime.Elapsed - began;
        }
    }

    private ValueTask<RouteDecision> RouteAsync(InferenceExchange exchange)
    {
        var headers = exchange.Context.Request.Headers;
        var facts = exchange.Facts;
        var forwarded = exchange.Forwarded;
        exchange.Priority = forwarded?.Priority ?? exchange.State!.PriorityOf(ControlHeaders.Objective(headers), exchange.PoolId);
        if (exchange.Caller is { } caller) exchange.Priority = caller.PriorityFor(exchange.Priority);
        var request = new RouteRequest
        {
            RequestId = exchange.RequestId,
            Pool = exchange.PoolId,
            Session = services.Engine.Session,
            Model = exchange.Model,
            Priority = exchange.Priority,
            FairnessId = forwarded?.FairnessId ?? exchange.Caller?.FairnessId ?? ControlHeaders.FairnessId(headers),
            PromptTokens = ExpectedLoad.PromptTokens(exchange),
            MaxOutputTokens = ExpectedLoad.OutputTokens(exchange),
            IsStreaming = facts.Stream,
            PrefixChain = exchange.PrefixChain,
            BodyBytes = exchange.SentBody.Length,
            AffinityKey = exchange.Session.Key,
            AffinityEndpoint = exchange.Session.Endpoint,
            Explain = exchange.IsExplained,
            Subset = exchange.Subset,
            Excluded = exchange.Excluded,
            ExcludedRegions = exchange.ExcludedRegions,
            OriginRegion = forwarded?.OriginRegion,
            OriginEpoch = forwarded?.Epoch ?? 0,
            OriginReason = forwarded?.Reason ?? DecisionReason.None,
            Hops = forwarded?.Hops ?? 0,
        };
        return services.Engine.Router.RouteAsync(request, exchange.Lifetime.Token);
    }

    private async ValueTask<bool> TryAgainAsync(InferenceExchange exchange, EndpointId endpoint, UpstreamResult result)
    {
        switch (result.Failure)
        {
            case UpstreamFailure.Cancelled when exchange.Lifetime.Reason == EndReason.EndpointRemoved:
                return await DisplaceAsync(exchange);
            case UpstreamFailure.HeadTimeout:
            case UpstreamFailure.Cancelled when exchange.Lifetime.Reason == EndReason.AttemptTimeout:
                exchange.Lease.Complete(OutcomeKind.Timeout);
                if (!MayTryAgain(exchange, neverAnswered: false)) return await TimedOutAsync(exchange);
                Retry(exchange, endpoint, TimedOut, null);
                return true;
            case UpstreamFailure.Cancelled:
                exchange.Ending = AnswerRelay.EndingFor(exchange.Lifetime.Reason);
                exchange.Lease.Complete(AnswerRelay.OutcomeFor(exchange.Lifetime.Reason));
                await errors.EndedAsync(exchange);
                return false;
            case UpstreamFailure.InvalidAnswer:
                exchange.Ending = "broken_answer";
                exchange.Lease.Complete(OutcomeKind.StreamBroken);
                return await errors.FailAsync(exchange, GatewayErrors.BrokenAnswer, "The model server's answer could not be understood.");
        }

        exchange.Lease.Complete(OutcomeKind.ConnectFailure);
        if (!MayTryAgain(exchange, neverAnswered: true))
        {
            exchange.Ending = "all_attempts_failed";
            AttemptFailed(_log, exchange.RequestId, endpoint, result.Failure, result.Detail);
            return await errors.FailAsync(exchange, GatewayErrors.AllAttemptsFailed, AttemptsMessage(exchange, exchange.Excluded.Length + 1));
        }

        Retry(exchange, endpoint, result.Failure == UpstreamFailure.ConnectFailed ? "connect_failed" : "reset", result.Detail);
        return true;
    }

    /// <summary>The configuration dropped the endpoint before it answered: not its failure, and no attempt of the client's.</summary>
    private async ValueTask<bool> DisplaceAsync(InferenceExchange exchange)
    {
        exchange.Lease.Complete(OutcomeKind.ClientGone);
        exchange.Attempts--;
        if (++exchange.Displacements <= MaxDisplacements)
        {
            Retry(exchange, exchange.Endpoint, "endpoint_removed", null);
            return true;
        }

        exchange.Ending = "all_attempts_failed";
        return await errors.FailAsync(exchange, GatewayErrors.AllAttemptsFailed, AttemptsMessage(exchange, exchange.Excluded.Length + 1));
    }

    private void Retry(InferenceExchange exchange, EndpointId endpoint, string reason, string? detail)
    {
        exchange.Excluded = exchange.Excluded.Add(endpoint);
        services.Telemetry.AttemptFailed(exchange, reason);
        Retrying(_log, exchange.RequestId, endpoint, reason, detail);
    }

    private async ValueTask RefuseAsync(InferenceExchange exchange, RouteDecision decision)
    {
        var pool = exchange.Pool!.Label;
        if (!exchange.Excluded.IsEmpty)
        {
            if (exchange.RetryReason == TimedOut)
            {
                await TimedOutAsync(exchange);
                return;
            }

            exchange.Ending = "all_attempts_failed";
            await errors.FailAsync(exchange, GatewayErrors.AllAttemptsFailed, AttemptsMessage(exchange, exchange.Excluded.Length));
            return;
        }

        var error = Refusals.ErrorFor(decision.Reason);
        var retryAfter = decision.RetryAfter;
        if (error.Status is 503 or 429 && retryAfter <= TimeSpan.Zero) retryAfter = DefaultRetryAfter;
        var reason = Refusals.ReasonFor(decision.Reason);
        await errors.FailAsync(exchange, error, Refusals.MessageFor(decision.Reason, pool, exchange.Facts.Model), retryAfter, reason);
    }

    private ValueTask<bool> TimedOutAsync(InferenceExchange exchange)
    {
        exchange.Ending = "timeout";
        return errors.FailAsync(exchange, GatewayErrors.Timeout, "No attempt was answered in the time that one may take.");
    }

    /// <summary>True when the request has attempts left and the pool's budget takes another one; false is counted where only the budget forbids it.</summary>
    private bool MayTryAgain(InferenceExchange exchange, bool neverAnswered)
    {
        if (exchange.Attempts > services.Options.MaxRetries) return false;
        if (_budgets.MayTryAgain(exchange, neverAnswered)) return true;
        exchange.IsRetryWithheld = true;
        services.Metrics.RetriesWithheld.With(exchange.Pool!.Label).Increment();
        return false;
    }

    private static string AttemptsMessage(InferenceExchange exchange, int attempts) => exchange.IsRetryWithheld
        ? $"All {attempts} attempts failed before an answer began, and the pool's retry budget allows no more now."
        : $"All {attempts} attempts failed before an answer began.";

    [LoggerMessage(1, LogLevel.Debug, "Request {RequestId}: {Endpoint} failed ({Reason}: {Detail}); trying another endpoint.")]
    private static partial void Retrying(ILogger log, string requestId, EndpointId endpoint, string reason, string? detail);

    [LoggerMessage(2, LogLevel.Debug, "Request {RequestId}: {Endpoint} failed ({Failure}: {Detail}); no attempt is left.")]
    private static partial void AttemptFailed(ILogger log, string requestId, EndpointId endpoint, UpstreamFailure failure, string? detail);
}
