using System.Text.Json;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Writes answers of the Messages API.</summary>
internal sealed class MessagesWriter(GenerationCall call, string id) : IAnswerWriter
{
    public string Id => id;

    public void WriteWhole(PooledBuffer buffer, Generation generation)
    {
        using var json = Json.Writer(buffer);
        WriteMessage(json, generation, isWhole: true);
    }

    public void WriteStart(PooledBuffer buffer, Generation generation) => SseEvents.Write(buffer, "message_start", json =>
    {
        json.WritePropertyName("message"u8);
        WriteMessage(json, generation, isWhole: false);
    });

    public void WriteToken(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isFirst)
    {
        if (isFirst)
        {
            SseEvents.Write(buffer, "content_block_start", json =>
            {
                json.WriteNumber("index"u8, 0);
                json.WritePropertyName("content_block"u8);
                WriteBlock(json, "", isWhole: false);
            });
        }

        var delta = call.Tool is null ? text : reason is null ? "" : call.Tool.Arguments;
        if (delta.Length > 0)
        {
            SseEvents.Write(buffer, "content_block_delta", json =>
            {
                json.WriteNumber("index"u8, 0);
                json.WriteStartObject("delta"u8);
                json.WriteString("type"u8, call.Tool is null ? "text_delta"u8 : "input_json_delta"u8);
                json.WriteString(call.Tool is null ? "text"u8 : "partial_json"u8, delta);
                json.WriteEndObject();
            });
        }

        if (reason is not null) SseEvents.Write(buffer, "content_block_stop", json => json.WriteNumber("index"u8, 0));
    }

    public void WriteEnd(PooledBuffer buffer, Generation generation)
    {
        var answer = generation.Answers[0];
        SseEvents.Write(buffer, "message_delta", json =>
        {
            json.WriteStartObject("delta"u8);
            json.WriteString("stop_reason"u8, StopReason(answer));
            json.WriteNull("stop_sequence"u8);
            json.WriteEndObject();
            WriteUsage(json, answer);
        });
        SseEvents.Write(buffer, "message_stop", static _ => { });
    }

    private void WriteMessage(Utf8JsonWriter json, Generation generation, bool isWhole)
    {
        var answer = generation.Answers[0];
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteStartArray("content"u8);
        if (isWhole) WriteBlock(json, answer.Text(), isWhole: true);
        json.WriteEndArray();
        json.WriteString("model"u8, call.Model.Name);
        if (isWhole) json.WriteString("stop_reason"u8, StopReason(answer));
        else json.WriteNull("stop_reason"u8);
        json.WriteNull("stop_sequence"u8);
        WriteUsage(json, answer);
        json.WriteEndObject();
    }

    private void WriteBlock(Utf8JsonWriter json, string text, bool isWhole)
    {
        json.WriteStartObject();
        if (call.Tool is { } tool)
        {
            json.WriteString("type"u8, "tool_use"u8);
            json.WriteString("id"u8, $"toolu_{id}");
            json.WriteString("name"u8, tool.Name);
            json.WritePropertyName("input"u8);
            json.WriteRawValue(isWhole ? tool.Arguments : "{}");
        }
        else
        {
            json.WriteString("type"u8, "text"u8);
            json.WriteString("text"u8, text);
        }

        json.WriteEndObject();
    }

    private string StopReason(Answer answer) =>
        call.Tool is not null ? "tool_use" : answer.Reason == FinishReason.Stop ? "end_turn" : "max_tokens";

    private void WriteUsage(Utf8JsonWriter json, Answer answer)
    {
        // What came from the cache is counted apart.
        var cached = Math.Min(answer.CachedTokens, call.PromptTokens);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, call.PromptTokens - cached);
        json.WriteNumber("output_tokens"u8, answer.Ready);
        json.WriteNumber("cache_creation_input_tokens"u8, 0);
        json.WriteNumber("cache_read_input_tokens"u8, cached);
        json.WriteEndObject();
    }
}
