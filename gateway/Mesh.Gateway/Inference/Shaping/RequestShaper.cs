using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.HttpRouting;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Inference.StoredResponses;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>What the chosen rule and pool make of a request before it is placed.</summary>
internal static class RequestShaper
{
    /// <summary>Rule and pool have just been chosen, perhaps again.</summary>
    public static void Shape(InferenceExchange exchange, RequestDraw draw)
    {
        exchange.Path = PathFor(exchange);
        // The path that a client invented may have become one of an API.
        if (ReferenceEquals(exchange.Api, InferenceApis.Unknown)) exchange.Api = InferenceApis.Find(exchange.Path) ?? InferenceApis.Unknown;
        exchange.Session = SessionOf.Read(exchange.Context, exchange.Pool!.Config.SessionAffinity);
        exchange.Subset = SubsetFor(exchange);
        // A request without a body has nothing to shape but its path.
        if (exchange.Body is null) return;
        var rewrites = exchange.Pool!.Config.ModelRewrites;
        exchange.SendModel(rewrites.IsEmpty || exchange.Facts.Model is not { } model ? null : ModelChoice.Find(rewrites, model, draw));
        exchange.HashPrompt();
    }

    /// <summary>As <see cref="Shape"/>, for a request that a peer has shaped already.</summary>
    public static void ShapeForwarded(InferenceExchange exchange, ulong session)
    {
        exchange.Session = new RequestSession(session);
        if (exchange.Body is null) return;
        exchange.SendModel(null);
        exchange.HashPrompt();
    }

    private static string PathFor(InferenceExchange exchange)
    {
        var path = exchange.Context.Request.Path.Value ?? "/";
        // The rewrite of the ref is the nearer one.
        var edit = exchange.BackendRef?.Filters.UrlRewrite?.Path ?? exchange.Target!.Rule.Filters.UrlRewrite?.Path;
        return edit is null ? path : PathEdits.Apply(edit, path, exchange.Target!.MatchedPrefix);
    }

    /// <summary>
    /// The endpoints that the client allows; else the one that keeps the response which the request goes on from: no other knows it. Once
    /// the configuration has dropped that endpoint, any may say that the response is gone.
    /// </summary>
    private static ImmutableArray<EndpointId> SubsetFor(InferenceExchange exchange)
    {
        var asked = ControlHeaders.Subset(exchange.Context.Request.Headers);
        if (!asked.IsDefault || exchange.Facts.PreviousResponseId is not { } previous || !exchange.Api.MakesResponses) return asked;
        if (!ResponseIds.TryReadTag(previous, out var tag) || exchange.State!.EndpointByTag(tag) is not { } endpoint) return default;
        return exchange.Pool!.Endpoints.Contains(endpoint) ? [endpoint] : default;
    }
}
