using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Telemetry.Tracing;

/// <summary>
/// The spans of one request: the server's, and one of a client for each attempt, whose id goes to the model server. A span that is not
/// sampled has an id that is passed on with its flag, and no attributes.
/// </summary>
internal sealed class RequestTrace
{
    private readonly ActivitySource _source;
    private readonly Activity _request;
    private readonly ApiOperation _operation;
    private Activity? _attempt;

    public RequestTrace(ActivitySource source, Activity request, ApiOperation operation, InferenceExchange exchange)
    {
        _source = source;
        _request = request;
        _operation = operation;
        PassOn(exchange, request);
        if (!request.IsAllDataRequested) return;
        var http = exchange.Context.Request;
        request.SetTag("http.request.method", ConventionInstruments.Method(http.Method));
        request.SetTag("url.path", exchange.Path);
        request.SetTag("url.scheme", http.IsHttps ? "https" : "http");
        request.SetTag("network.protocol.version", HttpProtocol.IsHttp2(http.Protocol) ? "2" : "1.1");
        if (operation.Route is { } route) request.SetTag("http.route", route);
        request.SetTag("server.address", http.Host.Host);
        request.SetTag("server.port", exchange.Context.Connection.LocalPort);
        if (exchange.Context.Connection.RemoteIpAddress is { } client) request.SetTag("client.address", client.ToString());
        if (http.Headers.UserAgent is [{ } agent, ..]) request.SetTag("user_agent.original", agent);
        request.SetTag("mesh.request_id", exchange.RequestId);
    }

    /// <summary>Id of the trace, 32 hexadecimal digits.</summary>
    public string TraceId => _request.TraceId.ToHexString();

    /// <summary>Id of the request's span, 16 hexadecimal digits.</summary>
    public string SpanId => _request.SpanId.ToHexString();

    /// <summary>Begins the span of an attempt; the one before, if it is still open, was displaced.</summary>
    public void BeginAttempt(InferenceExchange exchange)
    {
        FailAttempt("endpoint_removed");
        _attempt = _source.StartActivity($"{_operation.Name ?? "forward"} {exchange.Model}".TrimEnd(), ActivityKind.Client, _request.Context);
        PassOn(exchange, _attempt ?? _request);
        if (_attempt is not { IsAllDataRequested: true } span) return;
        if (_operation.Name is { } operation)
        {
            span.SetTag("gen_ai.operation.name", operation);
            span.SetTag("gen_ai.provider.name", ConventionInstruments.Provider);
            span.SetTag("gen_ai.request.model", exchange.Model);
        }

        if (IPEndPoint.TryParse(exchange.Endpoint.Address, out var address))
        {
            span.SetTag("server.address", address.Address.ToString());
            span.SetTag("server.port", address.Port);
        }

        if (exchange.Attempts > 1) span.SetTag("http.request.resend_count", exchange.Attempts - 1);
        span.SetTag("mesh.pool", exchange.Pool?.Label);
        span.SetTag("mesh.decision", Refusals.NameOf(exchange.Decision));
        if (exchange.Placement is not { } placed) return;
        span.SetTag("mesh.region", placed.Region);
        span.SetTag("k8s.cluster.name", placed.Cluster);
    }

    /// <summary>Ends the span of the attempt under way as failed; without effect when none is.</summary>
    public void FailAttempt(string reason)
    {
        if (_attempt is not { } span) return;
        _attempt = null;
        span.SetTag("error.type", reason);
        span.SetStatus(ActivityStatusCode.Error);
        span.Dispose();
    }

    /// <summary>Ends both spans with what the request came to.</summary>
    public void End(InferenceExchange exchange, in RequestTimes times)
    {
        if (_attempt is { } attempt)
        {
            Finish(attempt, exchange, times);
            if (exchange.Usage.Prompt > 0) attempt.SetTag("gen_ai.usage.input_tokens", exchange.Usage.Prompt);
            if (exchange.Usage.Output > 0) attempt.SetTag("gen_ai.usage.output_tokens", exchange.Usage.Output);
            if (times.FirstToken is { } first) attempt.SetTag("mesh.time_to_first_token_seconds", first.TotalSeconds);
            attempt.Dispose();
        }

        if (_request.IsAllDataRequested)
        {
            Finish(_request, exchange, times);
            _request.SetTag("mesh.pool", exchange.Pool?.Label);
            _request.SetTag("mesh.attempts", exchange.Attempts);
            _request.SetTag("mesh.queue_wait_seconds", exchange.QueueWait.TotalSeconds);
            if (exchange.Decision != DecisionReason.None) _request.SetTag("mesh.decision", Refusals.NameOf(exchange.Decision));
        }

        _request.Dispose();
    }

    /// <summary>The conventions let a server's span succeed for what is the client's mistake.</summary>
    private static void Finish(Activity span, InferenceExchange exchange, in RequestTimes times)
    {
        if (!span.IsAllDataRequested) return;
        if (exchange.Status > 0) span.SetTag("http.response.status_code", ConventionInstruments.Status(exchange.Status));
        span.SetTag("mesh.ending", times.Ending);
        if (times.ErrorType is not { } error) return;
        if (span.Kind == ActivityKind.Server && exchange.Status is >= 400 and < 500) return;
        span.SetTag("error.type", error);
        span.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>The model server's parent. The headers of the request are those that are forwarded, whatever client sends them.</summary>
    private static void PassOn(InferenceExchange exchange, Activity span)
    {
        var flags = ((int)(span.ActivityTraceFlags & ActivityTraceFlags.Recorded)).ToString("x2", CultureInfo.InvariantCulture);
        exchange.Context.Request.Headers[TraceHeaders.Parent] = $"00-{span.TraceId.ToHexString()}-{span.SpanId.ToHexString()}-{flags}";
    }
}
