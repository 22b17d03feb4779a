using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.HttpRouting;

namespace Mesh.Gateway.Inference.Filters;

/// <summary>Answers of <c>RequestRedirect</c>.</summary>
internal static class Redirects
{
    /// <summary>The redirection that takes the request; null when it is forwarded.</summary>
    public static RequestRedirectConfig? For(InferenceExchange exchange) =>
        exchange.Target!.Rule.Filters.Redirect ?? exchange.BackendRef?.Filters.Redirect;

    /// <summary>Answers; the client's body is not needed.</summary>
    public static void Answer(InferenceExchange exchange, RequestRedirectConfig redirect)
    {
        var response = exchange.Context.Response;
        exchange.Status = response.StatusCode = redirect.StatusCode;
        response.Headers.Location = Location(exchange.Context.Request, redirect, exchange.Target!.MatchedPrefix);
        response.ContentLength = 0;
    }

    private static string Location(HttpRequest request, RequestRedirectConfig redirect, string matchedPrefix)
    {
        var scheme = redirect.Scheme ?? request.Scheme;
        var host = redirect.Hostname ?? request.Host.Host;
        // Without a port of its own, a scheme stands for its usual one, and the port that the client used stays otherwise.
        var port = redirect.Port ?? (redirect.Scheme is null ? request.Host.Port : null);
        var usual = scheme == "https" ? 443 : 80;
        var authority = port is { } p && p != usual ? string.Create(CultureInfo.InvariantCulture, $"{host}:{p}") : host;
        var path = redirect.Path is { } edit ? PathEdits.Apply(edit, request.Path.Value ?? "/", matchedPrefix) : request.Path.ToUriComponent();
        return $"{scheme}://{authority}{path}{request.QueryString.Value}";
    }
}
