using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Serves embeddings, scores, ranks, classes and raw poolings: small, and the same for the same texts.</summary>
internal sealed class PoolingHandler(SimulatedVllmOptions options, ModelCatalog models, RequestIds ids, RequestCounts counts)
{
    private const int DefaultDimensions = 64;
    private const int MaxDimensions = 8192;

    public Task EmbeddingsAsync(HttpContext context) => HandleAsync(context, "embd-", Embeddings);

    public Task CohereEmbedAsync(HttpContext context) => HandleAsync(context, "embd-", CohereEmbed);

    public Task PoolingAsync(HttpContext context) => HandleAsync(context, "pool-", Pooling);

    public Task ClassifyAsync(HttpContext context) => HandleAsync(context, "classify-", Classify);

    public Task ScoreAsync(HttpContext context) => HandleAsync(context, "score-", Score);

    public Task RerankAsync(HttpContext context) => HandleAsync(context, "rerank-", Rerank);

    private async Task HandleAsync(HttpContext context, string prefix, Action<FieldReader, Utf8JsonWriter> write)
    {
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        using var owned = document;
        using var buffer = new PooledBuffer();
        if (document is not null) error = Write(document.RootElement, buffer, ids.Next(prefix, context.Request.Headers[RequestIds.Header]), write);
        if (error is not null) await HttpAnswers.SendErrorAsync(context, error);
        else await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
        if (error is null) counts.Completed();
    }

    private ApiError? Write(JsonElement root, PooledBuffer buffer, string id, Action<FieldReader, Utf8JsonWriter> write)
    {
        if (root.ValueKind != JsonValueKind.Object) return ApiError.BadRequest("The body must be a JSON object.");
        var body = new FieldReader(root);
        var name = body.Text("model");
        if (body.Error is not null) return body.Error;
        if (models.Find(name) is not { } model) return ApiError.NoSuchModel(name!);
        using var json = Json.Writer(buffer);
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("model"u8, model.Name);
        write(body, json);
        json.WriteEndObject();
        return body.Error;
    }

    private void WriteList(Utf8JsonWriter json, IReadOnlyList<Prompt> prompts, string kind, int promptTokens, Action<int> write)
    {
        json.WriteString("object"u8, "list"u8);
        json.WriteNumber("created"u8, options.TimeProvider.GetUtcNow().ToUnixTimeSeconds());
        json.WriteStartArray("data"u8);
        for (var i = 0; i < prompts.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, i);
            if (kind.Length > 0) json.WriteString("object"u8, kind);
            write(i);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteUsage(json, promptTokens);
    }

    private static void WriteUsage(Utf8JsonWriter json, int promptTokens)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, promptTokens);
        json.WriteNumber("total_tokens"u8, promptTokens);
        json.WriteNumber("completion_tokens"u8, 0);
        json.WriteNull("prompt_tokens_details"u8);
        json.WriteEndObject();
    }

    private void Embeddings(FieldReader body, Utf8JsonWriter json)
    {
        var prompts = Texts.Read(body, "input");
        var dimensions = (int)(body.Integer("dimensions", 1, MaxDimensions) ?? DefaultDimensions);
        var isBase64 = body.Text("encoding_format") == "base64";
        WriteList(json, prompts, "embedding", Sum(prompts), i =>
        {
            var vector = Texts.Vector(prompts[i], dimensions);
            if (isBase64) json.WriteString("embedding"u8, Base64(vector));
            else WriteVector(json, "embedding"u8, vector);
        });
    }

    private static void CohereEmbed(FieldReader body, Utf8JsonWriter json)
    {
        var prompts = Texts.Read(body, "texts");
        json.WriteStartObject("embeddings"u8);
        json.WriteStartArray("float"u8);
        foreach (var prompt in prompts)
        {
            json.WriteStartArray();
            foreach (var value in Texts.Vector(prompt, DefaultDimensions)) json.WriteNumberValue(value);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("meta"u8);
        json.WriteStartObject("billed_units"u8);
        json.WriteNumber("input_tokens"u8, Sum(prompts));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Pooling(FieldReader body, Utf8JsonWriter json)
    {
        var prompts = Texts.Read(body, "input");
        WriteList(json, prompts, "pooling", Sum(prompts), i => WriteVector(json, "data"u8, Texts.Vector(prompts[i], DefaultDimensions)));
    }

    private void Classify(FieldReader body, Utf8JsonWriter json)
    {
        var prompts = Texts.Read(body, "input");
        WriteList(json, prompts, "", Sum(prompts), i =>
        {
            var positive = 0.5 + (0.5 * Texts.Vector(prompts[i], 1)[0]);
            json.WriteString("label"u8, positive >= 0.5 ? "LABEL_1"u8 : "LABEL_0"u8);
            WriteVector(json, "probs"u8, [(float)(1 - positive), (float)positive]);
            json.WriteNumber("num_classes"u8, 2);
        });
    }

    private void Score(FieldReader body, Utf8JsonWriter json)
    {
        var (left, right) = (Texts.Read(body, "text_1"), Texts.Read(body, "text_2"));
        if (left.Count != 1 && left.Count != right.Count) body.Fail("text_1 must be one text, or as many as text_2.", "text_1");
        if (body.Error is not null) return;
        WriteList(json, right, "score", Sum(left) + Sum(right), i => json.WriteNumber("score"u8, Texts.Similarity(left[left.Count == 1 ? 0 : i], right[i])));
    }

    private static void Rerank(FieldReader body, Utf8JsonWriter json)
    {
        var query = Texts.Read(body, "query");
        var documents = Texts.Read(body, "documents");
        var top = (int)(body.Integer("top_n", 0, int.MaxValue) ?? 0);
        if (query.Count != 1) body.Fail("query must be one text.", "query");
        if (body.Error is not null) return;
        WriteUsage(json, Sum(query) + Sum(documents));
        json.WriteStartArray("results"u8);
        // Equal scores stay in the order of the documents.
        var ranked = documents.Select((d, i) => (Document: d, Index: i, Score: Texts.Similarity(query[0], d))).OrderByDescending(r => r.Score);
        foreach (var (document, index, score) in top > 0 ? ranked.Take(top) : ranked)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, index);
            json.WriteStartObject("document"u8);
            json.WriteString("text"u8, document.AsText());
            json.WriteEndObject();
            json.WriteNumber("relevance_score"u8, score);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static int Sum(List<Prompt> prompts) => prompts.Sum(p => p.Tokens.Length);

    private static string Base64(float[] vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var i = 0; i < vector.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        return Convert.ToBase64String(bytes);
    }

    private static void WriteVector(Utf8JsonWriter json, ReadOnlySpan<byte> name, float[] vector)
    {
        json.WriteStartArray(name);
        foreach (var value in vector) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
