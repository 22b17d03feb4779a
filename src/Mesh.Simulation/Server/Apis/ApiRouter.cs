using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Finds the handler of an inference API beyond completions and chat completions.</summary>
internal sealed class ApiRouter(SimulatedVllmOptions options, ModelCatalog models, EngineHost host, GenerationHandler generation, RequestIds ids, RequestCounts counts)
{
    private const string ResponsesPrefix = "/v1/responses/";
    private const string CancelSuffix = "/cancel";

    private readonly ResponsesHandler _responses = new(options, models, host, generation, ids);
    private readonly MessagesHandler _messages = new(options, models, generation, ids);
    private readonly PoolingHandler _pooling = new(options, models, ids, counts);
    private readonly AudioHandler _audio = new(options, models, ids, counts);

    /// <summary>The handler of a path, and the method that it takes; null when the path is no such API.</summary>
    public (string Method, Func<HttpContext, Task> Handle)? Find(string? path)
    {
        Func<HttpContext, Task>? post = path switch
        {
            "/v1/responses" => _responses.CreateAsync,
            "/v1/messages" => _messages.HandleAsync,
            "/v1/messages/count_tokens" => _messages.CountAsync,
            "/v1/embeddings" => _pooling.EmbeddingsAsync,
            "/v2/embed" => _pooling.CohereEmbedAsync,
            "/pooling" => _pooling.PoolingAsync,
            "/classify" => _pooling.ClassifyAsync,
            "/score" or "/v1/score" => _pooling.ScoreAsync,
            "/rerank" or "/v1/rerank" or "/v2/rerank" => _pooling.RerankAsync,
            "/v1/audio/transcriptions" or "/v1/audio/translations" => _audio.TranscribeAsync,
            "/v1/audio/speech" => _audio.SpeakAsync,
            _ => null,
        };
        if (post is not null) return ("POST", post);
        if (path is null || !path.StartsWith(ResponsesPrefix, StringComparison.Ordinal)) return null;
        var id = path[ResponsesPrefix.Length..];
        if (!id.EndsWith(CancelSuffix, StringComparison.Ordinal)) return ("GET", context => _responses.GetAsync(context, id));
        return ("POST", context => _responses.CancelAsync(context, id[..^CancelSuffix.Length]));
    }
}
