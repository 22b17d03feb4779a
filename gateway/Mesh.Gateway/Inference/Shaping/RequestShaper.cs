using Mesh.Gateway.Inference.Affinity;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>What the chosen rule and pool make of a request before it is placed.</summary>
internal static class RequestShaper
{
    /// <summary>Rule and pool have just been chosen, perhaps again.</summary>
    public static void Shape(InferenceExchange exchange)
    {
        exchange.Model = exchange.Facts.Model;
        exchange.HashPrompt();
        exchange.Session = SessionOf.Read(exchange.Context, exchange.Pool!.Config.SessionAffinity);
    }
}
