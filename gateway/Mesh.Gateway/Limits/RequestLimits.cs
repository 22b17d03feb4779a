using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Inference.Shaping;

namespace Mesh.Gateway.Limits;

/// <summary>What a request is held to beside the server's own limits: how many are under way, what its key may ask for, and what the key has left of its minute.</summary>
internal sealed class RequestLimits(LimitOptions options, ErrorReporter errors)
{
    private static readonly TimeSpan BusyRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of bodies.</summary>
    public BodyBudget Bodies { get; } = new(options.BufferedBodyBytes);

    /// <summary>Time for a body.</summary>
    public TimeSpan BodyTimeout => options.BodyTimeout;

    /// <summary>Before anything of the body is read. False when the request has been answered.</summary>
    /// <param name="exchange">Request.</param>
    /// <param name="open">Requests under way, this one among them.</param>
    public ValueTask<bool> EnterAsync(InferenceExchange exchange, int open)
    {
        if (open > options.ConcurrentRequests)
        {
            return errors.FailAsync(
                exchange, GatewayErrors.TooManyRequests, $"The gateway has {options.ConcurrentRequests} requests under way, as many as it takes.", BusyRetryAfter);
        }

        if (exchange.Caller?.Rates is { MaxConcurrent: { } most } rates)
        {
            if (!rates.TryEnter())
            {
                var full = $"Key `{exchange.Caller.Id}` has {most} requests under way, as many as it may have.";
                return errors.FailAsync(exchange, GatewayErrors.TooManyOfKey, full, BusyRetryAfter);
            }

            exchange.HoldsPlace = true;
        }

        if (exchange.Caller?.Rates?.Requests is not { } requests || requests.TryTake(1, out var wait)) return ValueTask.FromResult(true);
        var message = $"Rate limit reached for key `{exchange.Caller.Id}`: {requests.PerMinute} requests per minute. Try again in {RateHeaders.Duration(wait)}.";
        return errors.FailAsync(exchange, GatewayErrors.RequestRate, message, wait);
    }

    /// <summary>Once model, prompt and pool are known. False when the request has been answered.</summary>
    public ValueTask<bool> AuthorizeAsync(InferenceExchange exchange)
    {
        if (exchange.Caller is not { } caller) return ValueTask.FromResult(true);
        if (!caller.Models.Matches(exchange.Facts.Model))
        {
            return errors.FailAsync(exchange, GatewayErrors.ModelNotAllowed, $"Key `{caller.Id}` may not use the model `{exchange.Facts.Model}`.");
        }

        if (!caller.Objectives.IsAny && ControlHeaders.Objective(exchange.Context.Request.Headers) is { } objective && !caller.Objectives.Matches(objective))
        {
            return errors.FailAsync(exchange, GatewayErrors.ObjectiveNotAllowed, $"Key `{caller.Id}` may not use the objective `{objective}`.");
        }

        if (caller.Rates?.Tokens is not { } tokens) return ValueTask.FromResult(true);
        var needed = ExpectedLoad.PromptTokens(exchange);
        if (needed > tokens.PerMinute)
        {
            return errors.FailAsync(
                exchange, GatewayErrors.TokenRate, $"Request too large for key `{caller.Id}`: about {needed} prompt tokens, {tokens.PerMinute} per minute are allowed.");
        }

        if (tokens.TryTake(needed, out var wait))
        {
            exchange.TokensTaken = needed;
            return ValueTask.FromResult(true);
        }

        var message = $"Rate limit reached for key `{caller.Id}`: {tokens.PerMinute} tokens per minute, about {needed} needed. Try again in {RateHeaders.Duration(wait)}.";
        return errors.FailAsync(exchange, GatewayErrors.TokenRate, message, wait);
    }

    /// <summary>The request is over: its place is free, and what it really used replaces the estimate.</summary>
    public static void Leave(InferenceExchange exchange)
    {
        if (exchange.HoldsPlace) exchange.Caller!.Rates!.Leave();
        exchange.HoldsPlace = false;
        if (exchange.Caller?.Rates?.Tokens is not { } tokens) return;
        var used = (long)exchange.Usage.Prompt + exchange.Usage.Output;
        // Without a usage the estimate stands, unless no model server ever had the request.
        if (used > 0) tokens.Correct(used - exchange.TokensTaken);
        else if (exchange.Attempts == 0) tokens.Correct(-exchange.TokensTaken);
        exchange.TokensTaken = 0;
    }
}
