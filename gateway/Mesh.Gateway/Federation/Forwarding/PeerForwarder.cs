using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Federation.Forwarding;

/// <summary>
/// One attempt at a peer region: sends the request there and relays the answer. A peer that refuses, cannot be reached, or becomes
/// unreachable before it answers is left out, and the request is placed anew: in the next region, or here. An answer that has begun is never
/// asked for twice.
/// </summary>
internal sealed partial class PeerForwarder(InferenceServices services, AnswerRelay relay, ErrorReporter errors)
{
    private const string Unreachable = "peer_unreachable";

    private readonly ILogger _log = services.Loggers.CreateLogger<PeerForwarder>();

    /// <summary>Sends the request as the decision says. True when it must be placed anew; false when it has been answered.</summary>
    /// <param name="exchange">Request.</param>
    /// <param name="decision">A forwarding one.</param>
    /// <param name="mayTryAgain">Whether another attempt may follow one that failed.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> SendAsync(InferenceExchange exchange, RouteDecision decision, Func<InferenceExchange, bool> mayTryAgain)
    {
        var peers = services.Peers ?? throw new InvalidOperationException("The engine forwards requests, but this gateway has no peers.");
        var region = decision.Region!;
        var peer = peers.NameOf(region);
        var lifetime = exchange.Lifetime;
        exchange.Lease.Take(exchange.PoolId, decision.Lease);
        exchange.Endpoint = new EndpointId(peers.AddressOf(region));
        exchange.PeerRegion = region;
        exchange.Attempts++;
        exchange.HoldsRetry = false;
        services.Telemetry.AttemptBegins(exchange);
        lifetime.LimitAttempt(exchange.Target!.Rule.BackendRequestTimeout);
        var attempt = lifetime.Attempt;
        PeerAnswer answer;
        await using (peers.ReachableToken(region).UnsafeRegister(
            static s => { var (life, number) = ((RequestLifetime, long))s!; life.Interrupt(number, EndReason.PeerUnreachable); }, (lifetime, attempt)))
        {
            answer = await peers.SendAsync(region, UpstreamRequests.For(exchange, exchange.Endpoint, services.Keys), Head(exchange, decision), lifetime.Token);
        }

        if (answer.Response is { } late && lifetime.Reason == EndReason.PeerUnreachable)
        {
            // The head came just as the peer was given up: nothing of it has gone to the client.
            await late.DisposeAsync();
            answer = PeerAnswer.Failed(UpstreamFailure.Cancelled, "given up as the answer began");
        }

        if (answer.Response is { } response)
        {
            if (answer.Reason is not { } reason)
            {
                services.Metrics.Federation.Forwarded.With(peer, "answered").Increment();
                exchange.Endpoint = new EndpointId(answer.Served ?? exchange.Endpoint.Address);
                await relay.RelayAsync(exchange, response, exchange.Endpoint);
                return false;
            }

            // What is the client's mistake is one in every region.
            if (response.StatusCode is < 500 and not 429)
            {
                services.Metrics.Federation.Forwarded.With(peer, "answered").Increment();
                exchange.Failure = reason;
                await relay.RelayAsync(exchange, response, exchange.Endpoint);
                return false;
            }

            await response.DisposeAsync();
            exchange.Lease.Complete(OutcomeKind.PeerRefused);
            services.Metrics.Federation.Forwarded.With(peer, "refused").Increment();
            exchange.Attempts--;
            LeaveOut(exchange, region, "peer_refused", reason);
            return true;
        }

        if (answer.Failure == UpstreamFailure.Cancelled && lifetime.Reason is not (EndReason.PeerUnreachable or EndReason.AttemptTimeout))
        {
            services.Metrics.Federation.Forwarded.With(peer, "cancelled").Increment();
            exchange.Ending = AnswerRelay.EndingFor(lifetime.Reason);
            exchange.Lease.Complete(AnswerRelay.OutcomeFor(lifetime.Reason));
            await errors.EndedAsync(exchange);
            return false;
        }

        services.Metrics.Federation.Forwarded.With(peer, "failed").Increment();
        exchange.Lease.Complete(lifetime.Reason == EndReason.AttemptTimeout ? OutcomeKind.Timeout : OutcomeKind.ConnectFailure);
        if (!mayTryAgain(exchange))
        {
            exchange.Ending = "all_attempts_failed";
            await errors.FailAsync(exchange, GatewayErrors.AllAttemptsFailed, $"Region {region} could not be reached, and no attempt is left.", TimeSpan.FromSeconds(1), Unreachable);
            return false;
        }

        LeaveOut(exchange, region, Unreachable, answer.Detail);
        return true;
    }

    private static ForwardedRequest Head(InferenceExchange exchange, RouteDecision decision) => new(exchange.State!.Region, exchange.PoolId)
    {
        Priority = exchange.Priority,
        FairnessId = exchange.Caller?.FairnessId ?? ControlHeaders.FairnessId(exchange.Context.Request.Headers),
        TimeLeft = exchange.Lifetime.TimeLeft,
        Epoch = decision.OriginEpoch,
        Reason = decision.Reason,
        Session = exchange.Session.Key,
        Explain = exchange.IsExplained,
    };

    private void LeaveOut(InferenceExchange exchange, string region, string reason, string? detail)
    {
        exchange.ExcludedRegions = exchange.ExcludedRegions.Add(region);
        exchange.PeerRegion = null;
        services.Telemetry.AttemptFailed(exchange, reason);
        Leaving(_log, exchange.RequestId, region, reason, detail);
    }

    [LoggerMessage(1, LogLevel.Debug, "Request {RequestId}: region {Region} is left out ({Reason}: {Detail}).")]
    private static partial void Leaving(ILogger log, string requestId, string region, string reason, string? detail);
}
