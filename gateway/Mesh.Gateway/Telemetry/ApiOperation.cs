using System.Collections.Frozen;

namespace Mesh.Gateway.Telemetry;

/// <summary>What OpenTelemetry's conventions call the API of a path. A fixed set, whatever clients ask for.</summary>
/// <param name="Route"><c>http.route</c>: the path without what stands for one object; null for a path that is no API's.</param>
/// <param name="Name"><c>gen_ai.operation.name</c>; null for what is no inference.</param>
internal sealed record ApiOperation(string? Route, string? Name)
{
    private const string Chat = "chat";

    private static readonly ApiOperation Unknown = new(null, null);

    private static readonly FrozenDictionary<string, ApiOperation> ByPath = new ApiOperation[]
    {
        new("/v1/completions", "text_completion"),
        new("/v1/chat/completions", Chat),
        new("/v1/responses", Chat),
        new("/v1/messages", Chat),
        new("/v1/messages/count_tokens", "count_tokens"),
        new("/v1/embeddings", "embeddings"),
        new("/v2/embed", "embeddings"),
        new("/pooling", "embeddings"),
        new("/score", "score"),
        new("/v1/score", "score"),
        new("/rerank", "rerank"),
        new("/v1/rerank", "rerank"),
        new("/v2/rerank", "rerank"),
        new("/classify", "classify"),
        new("/tokenize", "tokenize"),
        new("/detokenize", "detokenize"),
        new("/v1/audio/transcriptions", "transcription"),
        new("/v1/audio/translations", "translation"),
        new("/v1/audio/speech", "speech"),
    }.ToFrozenDictionary(o => o.Route!, StringComparer.Ordinal);

    private static readonly ApiOperation StoredResponse = new("/v1/responses/{id}", null);

    /// <summary>The API of a path.</summary>
    public static ApiOperation Of(string? path)
    {
        if (path is null) return Unknown;
        if (ByPath.TryGetValue(path, out var operation)) return operation;
        return path.StartsWith("/v1/responses/", StringComparison.Ordinal) ? StoredResponse : Unknown;
    }
}
