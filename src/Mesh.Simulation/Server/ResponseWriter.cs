using System.Text.Json;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>Writes the JSON of completions and chat completions, whole and in chunks, with vLLM's fields in vLLM's order.</summary>
internal sealed class ResponseWriter(GenerationCall call, string id, long createdSeconds)
{
    /// <summary>The whole response.</summary>
    public void WriteWhole(PooledBuffer buffer, Generation generation)
    {
        using var json = Json.Writer(buffer);
        WriteHead(json, call.IsChat ? "chat.completion"u8 : "text_completion"u8);
        json.WriteStartArray("choices"u8);
        foreach (var answer in generation.Answers)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, answer.Index);
            if (call.IsChat)
            {
                json.WriteStartObject("message"u8);
                json.WriteString("role"u8, "assistant"u8);
                json.WriteString("content"u8, answer.Text());
                json.WriteNull("refusal"u8);
                json.WriteStartArray("tool_calls"u8);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            else
            {
                json.WriteString("text"u8, answer.Text());
            }

            WriteEnd(json, answer.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteUsage(json, generation);
        json.WriteEndObject();
    }

    /// <summary>One chunk with the text of one token; <paramref name="reason"/> with the last.</summary>
    public void WriteChunk(PooledBuffer buffer, int index, string text, FinishReason? reason, bool isRole = false)
    {
        using var json = Json.Writer(buffer);
        WriteHead(json, ChunkObject);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        if (call.IsChat)
        {
            json.WriteStartObject("delta"u8);
            if (isRole) json.WriteString("role"u8, "assistant"u8);
            json.WriteString("content"u8, text);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text"u8, text);
        }

        WriteEnd(json, reason);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The last chunk of a stream that asked for usage: no choices.</summary>
    public void WriteUsageChunk(PooledBuffer buffer, Generation generation)
    {
        using var json = Json.Writer(buffer);
        WriteHead(json, ChunkObject);
        json.WriteStartArray("choices"u8);
        json.WriteEndArray();
        WriteUsage(json, generation);
        json.WriteEndObject();
    }

    private ReadOnlySpan<byte> ChunkObject => call.IsChat ? "chat.completion.chunk"u8 : "text_completion"u8;

    private void WriteHead(Utf8JsonWriter json, ReadOnlySpan<byte> kind)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, kind);
        json.WriteNumber("created"u8, createdSeconds);
        json.WriteString("model"u8, call.Model.Name);
    }

    private static void WriteEnd(Utf8JsonWriter json, FinishReason? reason)
    {
        json.WriteNull("logprobs"u8);
        if (reason is null) json.WriteNull("finish_reason"u8);
        else json.WriteString("finish_reason"u8, reason == FinishReason.Stop ? "stop"u8 : "length"u8);
        json.WriteNull("stop_reason"u8);
    }

    private void WriteUsage(Utf8JsonWriter json, Generation generation)
    {
        var completion = 0;
        var cached = 0;
        for (var i = 0; i < generation.Answers.Count; i++)
        {
            completion += generation.Answers[i].Ready;
            // A prompt counts once, however many answers it gets.
            if (i % call.N == 0) cached += generation.Answers[i].CachedTokens;
        }

        var prompt = call.PromptTokens;
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, prompt);
        json.WriteNumber("total_tokens"u8, prompt + completion);
        json.WriteNumber("completion_tokens"u8, completion);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, cached);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
