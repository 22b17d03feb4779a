using Mesh.Core.HttpRouting;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Inference.ModelRewriting;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>What the chosen rule and pool make of a request before it is placed.</summary>
internal static class RequestShaper
{
    /// <summary>Rule and pool have just been chosen, perhaps again.</summary>
    public static void Shape(InferenceExchange exchange, RequestDraw draw)
    {
        var rewrites = exchange.Pool!.Config.ModelRewrites;
        exchange.SendModel(rewrites.IsEmpty || exchange.Facts.Model is not { } model ? null : ModelChoice.Find(rewrites, model, draw));
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
