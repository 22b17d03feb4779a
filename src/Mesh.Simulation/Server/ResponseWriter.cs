using System.Buffers;
using System.Text.Json;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>Writes the JSON of completions and chat completions, whole and in chunks, with vLLM's fields in vLLM's order.</summary>
internal sealed class ResponseWriter(GenerationCall call, string id, long createdSeconds) : IAnswerWriter
{
    public string Id => id;

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
                if (call.Tool is null) json.WriteString("content"u8, answer.Text());
                else json.WriteNull("content"u8);
                json.WriteNull("refusal"u8);
                json.WriteStartArray("tool_calls"u8);
                if (call.Tool is { } tool) WriteToolCall(json, tool, answer, isChunk: false);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            else
            {
                json.WriteString("text"u8, answer.Text());
            }

            WriteReason(json, answer.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteUsage(json, generation);
        json.WriteEndObject();
    }

    public void WriteStart(PooledBuffer buffer, Generation generation)
    {
    }

    public void WriteToken(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isFirst)
    {
        if (isFirst && call.IsChat) WriteEvent(buffer, answer, "", null, isRole: true);
        WriteEvent(buffer, answer, text, reason, isRole: false);
    }

    public void WriteEnd(PooledBuffer buffer, Generation generation)
    {
        if (call.IncludeUsage)
        {
            buffer.Write("data: "u8);
            WriteUsageChunk(buffer, generation);
            buffer.Write("\n\n"u8);
        }

        buffer.Write("data: [DONE]\n\n"u8);
    }

    private void WriteEvent(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isRole)
    {
        buffer.Write("data: "u8);
        WriteChunk(buffer, answer, text, reason, isRole);
        buffer.Write("\n\n"u8);
    }

    /// <summary>One chunk with the text of one token; <paramref name="reason"/> with the last, and with it the call of a tool.</summary>
    private void WriteChunk(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isRole)
    {
        using var json = Json.Writer(buffer);
        WriteHead(json, ChunkObject);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, answer.Index);
        if (call.IsChat)
        {
            json.WriteStartObject("delta"u8);
            if (isRole) json.WriteString("role"u8, "assistant"u8);
            if (call.Tool is null) json.WriteString("content"u8, text);
            if (call.Tool is { } tool && reason is not null)
            {
                json.WriteStartArray("tool_calls"u8);
                WriteToolCall(json, tool, answer, isChunk: true);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text"u8, text);
        }

        WriteReason(json, reason);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The last chunk of a stream that asked for usage: no choices.</summary>
    private void WriteUsageChunk(PooledBuffer buffer, Generation generation)
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

    private void WriteToolCall(Utf8JsonWriter json, ToolCall tool, Answer answer, bool isChunk)
    {
        json.WriteStartObject();
        if (isChunk) json.WriteNumber("index"u8, 0);
        json.WriteString("id"u8, $"call_{id}_{answer.Index}");
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, tool.Name);
        json.WriteString("arguments"u8, tool.Arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteReason(Utf8JsonWriter json, FinishReason? reason)
    {
        json.WriteNull("logprobs"u8);
        if (reason is not null && call.Tool is not null) json.WriteString("finish_reason"u8, "tool_calls"u8);
        else if (reason is null) json.WriteNull("finish_reason"u8);
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
