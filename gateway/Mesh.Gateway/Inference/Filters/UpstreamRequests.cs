using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Upstream;
using Microsoft.Net.Http.Headers;

namespace Mesh.Gateway.Inference.Filters;

/// <summary>The request to a model server: the client's, as the filters of the rule and of the backendRef want it.</summary>
internal static class UpstreamRequests
{
    /// <summary>Makes the request of one attempt.</summary>
    public static UpstreamRequest For(InferenceExchange exchange, EndpointId endpoint, UpstreamKeys keys, bool asksForLoad = false)
    {
        var request = exchange.Context.Request;
        var authorization = keys.AuthorizationFor(exchange.Pool!, endpoint);
        var edits = authorization is not null || HasHeaderEdits(exchange);
        return new UpstreamRequest
        {
            Endpoint = endpoint,
            Method = request.Method,
            Target = TargetFor(exchange),
            Headers = edits ? Authorized(Headers(exchange), authorization) : request.Headers,
            HeadersAreFinal = edits,
            Host = HostFor(exchange),
            RequestId = exchange.RequestId,
            AsksForLoad = asksForLoad,
            Body = exchange.SentBody,
        };
    }

    /// <summary>Path and query.</summary>
    public static string TargetFor(InferenceExchange exchange)
    {
        var query = exchange.Context.Request.QueryString;
        return query.HasValue ? exchange.Path + query.Value : exchange.Path;
    }

    /// <summary>Host that a filter names; else the one that the client asked for; null sends the endpoint's address.</summary>
    public static string? HostFor(InferenceExchange exchange) =>
        exchange.BackendRef?.Filters.UrlRewrite?.Hostname
        ?? exchange.Target!.Rule.Filters.UrlRewrite?.Hostname
        ?? (exchange.Context.Request.Headers.Host is [{ Length: > 0 } host] ? host : null);

    /// <summary>A copy of the headers that are sent, edited.</summary>
    public static HeaderDictionary Headers(InferenceExchange exchange)
    {
        var headers = HeaderEditing.Forwarded(
            exchange.Context.Request.Headers, exchange.Target!.Rule.Filters.RequestHeaders, exchange.BackendRef?.Filters.RequestHeaders);
        if (SessionOf.CookieNameOf(exchange.Pool!.Config.SessionAffinity) is { } ours && headers[HeaderNames.Cookie].Count > 0)
        {
            headers[HeaderNames.Cookie] = CookieHeader.Without(headers[HeaderNames.Cookie], ours);
        }

        return headers;
    }

    /// <summary>Adds the upstream's key, unless a filter has put one there.</summary>
    public static HeaderDictionary Authorized(HeaderDictionary headers, string? authorization)
    {
        if (authorization is not null && headers[HeaderNames.Authorization].Count == 0) headers[HeaderNames.Authorization] = authorization;
        return headers;
    }

    private static bool HasHeaderEdits(InferenceExchange exchange) =>
        exchange.Target!.Rule.Filters.RequestHeaders is not null || exchange.BackendRef?.Filters.RequestHeaders is not null
        || (exchange.Context.Request.Headers.Cookie.Count > 0 && SessionOf.CookieNameOf(exchange.Pool!.Config.SessionAffinity) is not null);
}
