using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Telemetry;

/// <summary>What a request that has ended took, worked out once for every place that tells it.</summary>
/// <param name="Duration">From its arrival to the end of its answer.</param>
/// <param name="FirstToken">To the first byte of a successful stream; null for anything else.</param>
/// <param name="PerOutputToken">Per token after the first; null unless a successful stream came to its end and told its tokens.</param>
/// <param name="ErrorType"><c>error.type</c>: the gateway's reason, or the status of a server's own error; null for a success.</param>
/// <param name="Ending">How it ended; one of a fixed set.</param>
/// <param name="Operation">The API.</param>
internal readonly record struct RequestTimes(
    TimeSpan Duration, TimeSpan? FirstToken, TimeSpan? PerOutputToken, string? ErrorType, string Ending, ApiOperation Operation)
{
    /// <summary>Ending of a complete answer.</summary>
    public const string Complete = "complete";

    public static RequestTimes Of(InferenceExchange exchange)
    {
        var duration = exchange.Lifetime.Elapsed;
        var isStream = exchange.Facts.Stream && exchange.Status is >= 200 and < 300;
        var first = isStream ? exchange.FirstByteAfter : null;
        TimeSpan? each = null;
        if (first is { } begun && exchange.Ending == Complete && exchange.Usage.Output > 1) each = (duration - begun) / (exchange.Usage.Output - 1);
        return new RequestTimes(duration, first, each, ErrorTypeOf(exchange), EndingOf(exchange), ApiOperation.Of(exchange.Context.Request.Path.Value));
    }

    private static string? ErrorTypeOf(InferenceExchange exchange)
    {
        if (exchange.Failure is { } reason) return reason;
        if (exchange.Status >= 400) return Metrics.GatewayMetrics.Code(exchange.Status);
        return exchange.Ending is null or Complete ? null : exchange.Ending;
    }

    /// <summary>A request that was never sent was refused, or its client left, or a rule redirected it.</summary>
    private static string EndingOf(InferenceExchange exchange)
    {
        if (exchange.Ending is { } ending) return ending;
        if (exchange.Failure is not null) return "refused";
        return exchange.Status == 499 ? "client_gone" : "redirected";
    }
}
