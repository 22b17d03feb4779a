using Mesh.Core.HttpRouting;
using Mesh.Gateway.Inference.Affinity;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>What the chosen rule and pool make of a request before it is placed.</summary>
internal static class RequestShaper
{
    /// <summary>Rule and pool have just been chosen, perhaps again.</summary>
    public static void Shape(InferenceExchange exchange)
    {
        exchange.Model = exchange.Facts.Model;
        exchange.Path = PathFor(exchange);
        exchange.HashPrompt();
        exchange.Session = SessionOf.Read(exchange.Context, exchange.Pool!.Config.SessionAffinity);
    }

    private static string PathFor(InferenceExchange exchange)
    {
        var path = exchange.Context.Request.Path.Value ?? "/";
        // The rewrite of the ref is the nearer one.
        var edit = exchange.BackendRef?.Filters.UrlRewrite?.Path ?? exchange.Target!.Rule.Filters.UrlRewrite?.Path;
        return edit is null ? path : PathEdits.Apply(edit, path, exchange.Target!.MatchedPrefix);
    }
}
