using System.Diagnostics;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Telemetry.Tracing;

/// <summary>
/// Spans of requests, for whoever listens to the source <c>Mesh.Gateway</c>. While nobody does, nothing is made and the client's
/// <c>traceparent</c> and <c>tracestate</c> pass on to the model server as they came.
/// </summary>
internal sealed class GatewayTracing : IDisposable
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Mesh.Gateway";

    /// <summary>The source; each gateway of a process has its own.</summary>
    public ActivitySource Source { get; } = new(SourceName);

    /// <summary>True while somebody listens.</summary>
    public bool IsOn => Source.HasListeners();

    /// <summary>Begins the span of a request as a child of the client's; null when the listener does not want it.</summary>
    public RequestTrace? Begin(InferenceExchange exchange)
    {
        var headers = exchange.Context.Request.Headers;
        var isChild = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        // Without a parent the new span would take the one that happens to be current on this thread.
        if (!isChild) Activity.Current = null;
        var operation = ApiOperation.Of(exchange.Context.Request.Path.Value);
        var method = ConventionInstruments.Method(exchange.Context.Request.Method);
        var name = operation.Route is { } route ? $"{method} {route}" : method;
        var span = Source.StartActivity(name, ActivityKind.Server, isChild ? parent : default);
        if (span is null) return null;
        // A state belongs to its parent: beside a parent that cannot be read it would mislead.
        if (!isChild) headers.Remove(TraceHeaders.State);
        return new RequestTrace(Source, span, operation, exchange);
    }

    public void Dispose() => Source.Dispose();
}

/// <summary>Headers of W3C trace context.</summary>
internal static class TraceHeaders
{
    /// <summary>Trace, span and flags.</summary>
    public const string Parent = "traceparent";

    /// <summary>What tracing systems along the way add.</summary>
    public const string State = "tracestate";
}
