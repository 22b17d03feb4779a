using Mesh.Core.Routing;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Inference.StoredResponses;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Inference;

/// <summary>
/// One inference request from its first line to the last byte of its answer:
/// <list type="number">
/// <item>give it an id and a lifetime</item>
/// <item>read the body once into pooled memory</item>
/// <item>scan it for what routing needs</item>
/// <item>match listener and route, choose the pool</item>
/// <item>limit its time</item>
/// <item>place, send and relay it, on another endpoint if one fails before it answers (<see cref="Forwarder"/>)</item>
/// <item>give back what is held, count</item>
/// </list>
/// </summary>
internal sealed partial class InferenceHandler(
    InferenceServices services, RouteMatcher matcher, Forwarder forwarder, StoredResponseForwarder stored, RequestLimits limits, ErrorReporter errors,
    AccessLog accessLog, DecisionLines decisionLines, CancellationToken stopping)
{
    private readonly ILogger _log = services.Loggers.CreateLogger<InferenceHandler>();
    private readonly RequestIds _ids = new();
    private readonly ExchangePool _exchanges = new(services, stopping);
    private int _open;

    /// <summary>Requests under way.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Handles a request to an inference API. Never throws for anything that a client or an endpoint does.</summary>
    /// <param name="context">Request.</param>
    /// <param name="caller">Who sent it; null where no key is asked for.</param>
    /// <param name="forwarded">What the peer region says that sent it; null for a client's own.</param>
    public async Task HandleAsync(HttpContext context, Caller? caller, ForwardedRequest? forwarded = null)
    {
        // :: Step 1: id and lifetime
        var open = Interlocked.Increment(ref _open);
        var requestId = _ids.KeepOrMake(context.Request);
        context.Response.Headers[RequestIds.Header] = requestId;
        var exchange = _exchanges.Begin(context, requestId);
        var lifetime = exchange.Lifetime;
        exchange.Caller = caller;
        exchange.Forwarded = forwarded;
        exchange.IsAsked = forwarded is null && services.Explain.IsAsked(context, caller);
        exchange.IsExplained = exchange.IsAsked || forwarded?.Explain == true || services.Explain.IsSampled();
        services.Telemetry.Begin(exchange);
        try
        {
            if (!await limits.EnterAsync(exchange, open))
            {
                // It has been answered.
            }
            else if (forwarded is null && exchange.Api.Body == ApiBody.None && context.Request.Method == exchange.Api.Method)
            {
                if (await MatchAsync(exchange)) await stored.ForwardAsync(exchange);
            }
            else if (await EnterAsync(exchange) && await ReadAsync(exchange) && await MatchAsync(exchange) && await limits.AuthorizeAsync(exchange))
            {
                await forwarder.ForwardAsync(exchange);
            }
        }
        catch (OperationCanceledException) when (lifetime.Reason != EndReason.None)
        {
            await errors.EndedAsync(exchange);
        }
        catch (Exception e)
        {
            Unexpected(_log, requestId, e);
            await errors.InternalAsync(exchange);
        }
        finally
        {
            // :: Step 7: give back and count
            exchange.Lease.Complete(OutcomeFor(lifetime.Reason));
            RequestLimits.Leave(exchange);
            services.Telemetry.End(exchange);
            accessLog.Write(exchange);
            decisionLines.Write(exchange);
            exchange.Release();
            _exchanges.End(exchange);
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>Other methods have no body to match by and go nowhere but where a redirection sends them.</summary>
    private async ValueTask<bool> EnterAsync(InferenceExchange exchange)
    {
        var request = exchange.Context.Request;
        if (HttpMethods.IsPost(request.Method) && exchange.Api.Body != ApiBody.None) return true;
        if (matcher.Match(exchange) && Redirects.For(exchange) is { } redirect)
        {
            Redirects.Answer(exchange, redirect);
            return false;
        }

        var kind = ApiPaths.Find(request.Path.Value);
        if (!ApiPaths.IsForwarded(kind)) return await errors.FailAsync(exchange, GatewayErrors.UnknownPath, $"Unknown path {request.Path.Value}.");
        return await errors.FailAsync(exchange, GatewayErrors.MethodNotAllowed, $"{request.Path.Value} takes {ApiPaths.Allowed(kind)}.");
    }

    private async ValueTask<bool> ReadAsync(InferenceExchange exchange)
    {
        // :: Step 2: the body, once
        var request = exchange.Context.Request;
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding && encoding != "identity")
        {
            var message = $"Content-Encoding `{encoding}` is not supported; send the body as it is.";
            return await errors.FailAsync(exchange, GatewayErrors.UnsupportedEncoding, message);
        }

        var read = await BodyReader.ReadAsync(request, services.Options.MaxBodyBytes, limits.Bodies, limits.BodyTimeout, services.Time, exchange.Lifetime.Token);
        switch (read.Failure)
        {
            case BodyReadFailure.TooLarge:
                var limit = services.Options.MaxBodyBytes;
                return await errors.FailAsync(exchange, GatewayErrors.BodyTooLarge, $"The body is larger than {limit} bytes.");
            case BodyReadFailure.Malformed:
                return await errors.FailAsync(exchange, GatewayErrors.InvalidBody, $"The body could not be read: {read.Detail}");
            case BodyReadFailure.TooSlow:
                return await errors.FailAsync(exchange, GatewayErrors.BodyTooSlow, "The body came in too slowly.");
            case BodyReadFailure.BuffersFull:
                return await errors.FailAsync(exchange, GatewayErrors.BuffersFull, "The gateway holds as many bytes of requests as it may.", TimeSpan.FromSeconds(1));
            case BodyReadFailure.Interrupted:
                await errors.EndedAsync(exchange);
                return false;
        }

        // :: Step 3: what routing needs
        exchange.Body = read.Body;
        await LargeBodies.LeaveSocketThread(read.Body!.Length);
        if (Scan(exchange) is { } mistake)
        {
            var row = exchange.Api.Body == ApiBody.Multipart ? GatewayErrors.InvalidForm : GatewayErrors.InvalidBody;
            return await errors.FailAsync(exchange, row, mistake);
        }

        var facts = exchange.Facts;
        if (facts.ModelHasWrongType) return await errors.FailAsync(exchange, GatewayErrors.InvalidModel, "`model` must be a string.");
        return !string.IsNullOrEmpty(facts.Model)
            || await errors.FailAsync(exchange, GatewayErrors.MissingModel, "You must provide a `model`.");
    }

    /// <summary>Finds what routing needs; says what is wrong with the body when it cannot.</summary>
    private static string? Scan(InferenceExchange exchange)
    {
        var body = exchange.Body!.Memory.Span;
        BodyFacts facts;
        if (exchange.Api.Body == ApiBody.Multipart)
        {
            if (!MultipartScanner.TryScan(body, exchange.Context.Request.ContentType, out facts, out var mistake)) return mistake;
        }
        else if (!BodyScanner.TryScan(body, out facts, out var error))
        {
            return error.Message;
        }

        exchange.Facts = facts;
        return null;
    }

    private async ValueTask<bool> MatchAsync(InferenceExchange exchange)
    {
        // :: Step 4: listener, route, pool
        var request = exchange.Context.Request;
        var isKnown = ApiPaths.IsForwarded(ApiPaths.Find(request.Path.Value));
        if (!matcher.Match(exchange))
        {
            return isKnown
                ? await errors.FailAsync(exchange, GatewayErrors.NoRoute, "No route takes this host, path and headers.")
                : await errors.FailAsync(exchange, GatewayErrors.UnknownPath, $"Unknown path {request.Path.Value}.");
        }

        if (Redirects.For(exchange) is { } redirect)
        {
            Redirects.Answer(exchange, redirect);
            return false;
        }

        if (!RouteMatcher.MayBeSent(exchange))
        {
            return await errors.FailAsync(exchange, GatewayErrors.UnknownPath, $"Unknown path {request.Path.Value}.");
        }

        if (exchange.Pool is null)
        {
            var message = $"Route {exchange.Target!.RouteName} leads to no pool that is there.";
            return await errors.FailAsync(exchange, GatewayErrors.RouteWithoutBackend, message);
        }

        // :: Step 5: time for the whole request
        var pool = exchange.Pool.Config.Timeout;
        if (exchange.Forwarded?.TimeLeft is { } left)
        {
            exchange.Lifetime.SetTimeout(left);
            return true;
        }

        exchange.Lifetime.SetTimeout(exchange.Target!.Rule.RequestTimeout is { } route && route > TimeSpan.Zero && route < pool ? route : pool);
        return true;
    }

    private static OutcomeKind OutcomeFor(EndReason reason) => reason switch
    {
        EndReason.ClientGone => OutcomeKind.ClientGone,
        EndReason.Timeout => OutcomeKind.Timeout,
        _ => OutcomeKind.NotSent,
    };

    [LoggerMessage(1, LogLevel.Error, "Request {RequestId} failed inside the gateway.")]
    private static partial void Unexpected(ILogger log, string requestId, Exception e);
}
