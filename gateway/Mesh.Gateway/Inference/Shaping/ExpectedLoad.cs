using Mesh.Gateway.Inference.Apis;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>What load placement should expect of a request.</summary>
internal static class ExpectedLoad
{
    // The engine reads 0 as "no cap given" and would expect an answer of usual length.
    private const int NoGeneration = 1;

    /// <summary>Tokens that the model server will compute before it answers.</summary>
    public static int PromptTokens(InferenceExchange exchange) => exchange.Api.Work == ApiWork.None ? 0 : exchange.Facts.PromptTokens;

    /// <summary>Cap on generated tokens; 0 when the client set none. What generates nothing has a cap of one.</summary>
    public static int OutputTokens(InferenceExchange exchange) =>
        exchange.Api.Work == ApiWork.Generation ? exchange.Facts.MaxOutputTokens : NoGeneration;
}
