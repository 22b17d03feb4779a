using System.Collections.Frozen;

namespace Mesh.Gateway.Inference.Apis;

/// <summary>
/// The allowlist: every path of a model server that a client can reach. Paths are compared whole, after the server has decoded them and
/// resolved their dots, and what is sent on is the path that was compared: no other way of writing leads anywhere else.
/// </summary>
internal static class InferenceApis
{
    /// <summary>Prefix of responses that a model server keeps.</summary>
    public const string ResponsesPrefix = "/v1/responses/";

    private const string CancelSuffix = "/cancel";

    /// <summary>A path that is no API, until a route makes one of it.</summary>
    public static readonly InferenceApi Unknown = new();

    /// <summary><c>GET /v1/responses/{id}</c>.</summary>
    public static readonly InferenceApi StoredResponse =
        new() { Body = ApiBody.None, Dialect = ApiDialect.Responses, Work = ApiWork.None, Method = HttpMethods.Get };

    /// <summary><c>POST /v1/responses/{id}/cancel</c>.</summary>
    public static readonly InferenceApi CancelResponse = StoredResponse with { Method = HttpMethods.Post };

    private static readonly InferenceApi Pooling = new() { Work = ApiWork.Pooling };
    private static readonly InferenceApi Lookup = new() { Work = ApiWork.None };
    private static readonly InferenceApi Audio = new() { Body = ApiBody.Multipart };

    private static readonly FrozenDictionary<string, InferenceApi> ByPath = new Dictionary<string, InferenceApi>(StringComparer.Ordinal)
    {
        ["/v1/completions"] = new() { HasUsageOption = true },
        ["/v1/chat/completions"] = new() { HasUsageOption = true },
        ["/v1/responses"] = new() { Dialect = ApiDialect.Responses, MakesResponses = true },
        ["/v1/messages"] = new() { Dialect = ApiDialect.Anthropic },
        ["/v1/messages/count_tokens"] = new() { Dialect = ApiDialect.Anthropic, Work = ApiWork.None },
        ["/v1/embeddings"] = Pooling,
        ["/v2/embed"] = Pooling,
        ["/v1/score"] = Pooling,
        ["/score"] = Pooling,
        ["/v1/rerank"] = Pooling,
        ["/v2/rerank"] = Pooling,
        ["/rerank"] = Pooling,
        ["/pooling"] = Pooling,
        ["/classify"] = Pooling,
        ["/tokenize"] = Lookup,
        ["/detokenize"] = Lookup,
        ["/v1/audio/transcriptions"] = Audio,
        ["/v1/audio/translations"] = Audio,
        ["/v1/audio/speech"] = new(),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The API behind a path; null when there is none.</summary>
    public static InferenceApi? Find(string? path)
    {
        if (path is null) return null;
        if (ByPath.TryGetValue(path, out var api)) return api;
        if (!path.StartsWith(ResponsesPrefix, StringComparison.Ordinal)) return null;
        if (IsId(path.AsSpan(ResponsesPrefix.Length))) return StoredResponse;
        return path.EndsWith(CancelSuffix, StringComparison.Ordinal) && IsId(ResponseId(path)) ? CancelResponse : null;
    }

    /// <summary>The id in the path of a stored response.</summary>
    public static ReadOnlySpan<char> ResponseId(string path)
    {
        var id = path.AsSpan(ResponsesPrefix.Length);
        return id.EndsWith(CancelSuffix, StringComparison.Ordinal) ? id[..^CancelSuffix.Length] : id;
    }

    /// <summary>How clients of a path read errors, whether or not the path leads anywhere.</summary>
    public static ApiDialect DialectOf(string? path) =>
        path?.StartsWith("/v1/messages", StringComparison.Ordinal) == true ? ApiDialect.Anthropic : Find(path)?.Dialect ?? ApiDialect.OpenAi;

    // Nothing that could be taken for another path passes: no dots, slashes, percent signs or semicolons.
    private static bool IsId(ReadOnlySpan<char> id)
    {
        if (id.Length is 0 or > 256) return false;
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')) return false;
        }

        return true;
    }
}
