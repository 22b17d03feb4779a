using System.Text.Json;

namespace Mesh.Simulation.Server;

/// <summary>Checks a body and makes a <see cref="GenerationCall"/> of it.</summary>
internal static class GenerationCallReader
{
    private const int MaxAnswersPerPrompt = 128;
    private const int MaxSequences = 4096;

    /// <summary>vLLM's default cap of the completions endpoint; chat has none.</summary>
    private const int DefaultCompletionTokens = 16;

    public static (GenerationCall? Call, ApiError? Error) Read(JsonElement root, bool isChat, ModelCatalog models, int maxModelLen)
    {
        if (root.ValueKind != JsonValueKind.Object) return (null, ApiError.BadRequest("The body must be a JSON object."));
        var body = new FieldReader(root);
        var name = body.Text("model");
        if (body.Error is not null) return (null, body.Error);
        var model = models.Find(name);
        if (model is null) return (null, ApiError.NoSuchModel(name!));

        var stream = body.Flag("stream");
        var tool = isChat ? ToolChooser.Chat(body) : null;
        var call = new GenerationCall
        {
            Model = model,
            IsChat = isChat,
            Prompts = isChat ? PromptReader.Chat(body) : PromptReader.Completion(body, body.Flag("add_special_tokens", true)),
            Tool = tool,
            MaxTokens = ToolChooser.Cap(tool, MaxTokens(body, isChat)),
            N = (int)(body.Integer("n", 1, MaxAnswersPerPrompt) ?? 1),
            Stream = stream,
            IncludeUsage = IncludeUsage(body, stream),
            Echo = !isChat && body.Flag("echo"),
            Stop = body.Texts("stop"),
            IncludeStop = body.Flag("include_stop_str_in_output"),
            Temperature = body.Number("temperature", 1, 0, 100),
            Seed = body.Integer("seed", long.MinValue, long.MaxValue),
            CacheSalt = body.Text("cache_salt"),
        };
        if (body.Integer("priority", int.MinValue, int.MaxValue) is not (null or 0)) body.Fail("priority needs priority scheduling, which is off.", "priority");
        if (call.Prompts.Count * call.N > MaxSequences) body.Fail($"More than {MaxSequences} answers in one request.", "n");
        if (call.Stop.Any(s => s.Length == 0)) body.Fail("stop must not contain an empty string.", "stop");
        CheckLength(body, call, maxModelLen);
        return body.Error is null ? (call, null) : (null, body.Error);
    }

    private static int MaxTokens(FieldReader body, bool isChat)
    {
        var most = int.MaxValue;
        if (isChat && body.Integer("max_completion_tokens", 1, most) is { } cap) return (int)cap;
        return (int)(body.Integer("max_tokens", 1, most) ?? (isChat ? 0 : DefaultCompletionTokens));
    }

    private static bool IncludeUsage(FieldReader body, bool stream)
    {
        if (!body.TryGet("stream_options", out var options)) return false;
        if (options.ValueKind != JsonValueKind.Object) body.Fail("stream_options must be an object.", "stream_options");
        else if (!stream) body.Fail("stream_options needs stream to be true.", "stream_options");
        else return options.TryGetProperty("include_usage", out var usage) && usage.ValueKind == JsonValueKind.True;
        return false;
    }

    public static void CheckLength(FieldReader body, GenerationCall call, int maxModelLen)
    {
        foreach (var prompt in call.Prompts)
        {
            var length = prompt.Tokens.Length;
            if (length == 0) body.Fail("The prompt is empty.", "prompt");
            if (length + (long)Math.Max(1, call.MaxTokens) <= maxModelLen) continue;
            body.Fail(
                $"This model's maximum context length is {maxModelLen} tokens, but the prompt has {length} and {Math.Max(1, call.MaxTokens)} were asked for.",
                call.IsChat ? "messages" : "prompt");
        }
    }
}
