using System.Text;
using System.Text.Json;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Writes answers of the Responses API. One stream at a time.</summary>
internal sealed class ResponsesWriter(GenerationCall call, ResponsesRequest request, string id, long createdSeconds) : IAnswerWriter
{
    private readonly StringBuilder _text = new();
    private int _sequence;

    public string Id => id;

    private string ItemId => call.Tool is null ? $"msg_{id}" : $"fc_{id}";

    /// <summary>Status of a finished response.</summary>
    public static string EndStatus(GenerationCall call, Generation generation) =>
        call.Tool is null && generation.Answers[0].Reason != FinishReason.Stop ? "incomplete" : "completed";

    public void WriteWhole(PooledBuffer buffer, Generation generation) => WriteResponse(buffer, generation, EndStatus(call, generation));

    /// <summary>The response with a status.</summary>
    public void WriteResponse(PooledBuffer buffer, Generation generation, string status)
    {
        using var json = Json.Writer(buffer);
        WriteResponse(json, generation, status);
    }

    public void WriteStart(PooledBuffer buffer, Generation generation)
    {
        WriteState(buffer, "response.created", generation, "in_progress");
        WriteState(buffer, "response.in_progress", generation, "in_progress");
    }

    public void WriteToken(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isFirst)
    {
        if (isFirst) WriteItemStart(buffer);
        _text.Append(text);
        var delta = call.Tool is null ? text : reason is null ? "" : call.Tool.Arguments;
        if (delta.Length > 0)
        {
            WriteEvent(buffer, call.Tool is null ? "response.output_text.delta" : "response.function_call_arguments.delta", json =>
            {
                WritePlace(json, call.Tool is null);
                json.WriteString("delta"u8, delta);
                if (call.Tool is null) WriteEmpty(json, "logprobs"u8);
            });
        }

        if (reason is not null) WriteItemEnd(buffer);
    }

    public void WriteEnd(PooledBuffer buffer, Generation generation)
    {
        var status = EndStatus(call, generation);
        WriteState(buffer, $"response.{status}", generation, status);
    }

    private void WriteItemStart(PooledBuffer buffer)
    {
        WriteEvent(buffer, "response.output_item.added", json =>
        {
            json.WriteNumber("output_index"u8, 0);
            json.WritePropertyName("item"u8);
            WriteItem(json, "in_progress", null);
        });
        if (call.Tool is not null) return;
        WriteEvent(buffer, "response.content_part.added", json =>
        {
            WritePlace(json, true);
            json.WritePropertyName("part"u8);
            WritePart(json, "");
        });
    }

    private void WriteItemEnd(PooledBuffer buffer)
    {
        var text = _text.ToString();
        WriteEvent(buffer, call.Tool is null ? "response.output_text.done" : "response.function_call_arguments.done", json =>
        {
            WritePlace(json, call.Tool is null);
            if (call.Tool is { } tool)
            {
                json.WriteString("name"u8, tool.Name);
                json.WriteString("arguments"u8, tool.Arguments);
                return;
            }

            json.WriteString("text"u8, text);
            WriteEmpty(json, "logprobs"u8);
        });
        if (call.Tool is null)
        {
            WriteEvent(buffer, "response.content_part.done", json =>
            {
                WritePlace(json, true);
                json.WritePropertyName("part"u8);
                WritePart(json, text);
            });
        }

        WriteEvent(buffer, "response.output_item.done", json =>
        {
            json.WriteNumber("output_index"u8, 0);
            json.WritePropertyName("item"u8);
            WriteItem(json, "completed", text);
        });
    }

    private void WriteState(PooledBuffer buffer, string type, Generation generation, string status) => WriteEvent(buffer, type, json =>
    {
        json.WritePropertyName("response"u8);
        WriteResponse(json, generation, status);
    });

    private void WriteEvent(PooledBuffer buffer, string type, Action<Utf8JsonWriter> fields) => SseEvents.Write(buffer, type, json =>
    {
        json.WriteNumber("sequence_number"u8, _sequence++);
        fields(json);
    });

    private void WritePlace(Utf8JsonWriter json, bool hasPart)
    {
        json.WriteString("item_id"u8, ItemId);
        json.WriteNumber("output_index"u8, 0);
        if (hasPart) json.WriteNumber("content_index"u8, 0);
    }

    private static void WriteEmpty(Utf8JsonWriter json, ReadOnlySpan<byte> name)
    {
        json.WriteStartArray(name);
        json.WriteEndArray();
    }

    private void WriteItem(Utf8JsonWriter json, string status, string? text)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, ItemId);
        json.WriteString("status"u8, status);
        if (call.Tool is { } tool)
        {
            json.WriteString("type"u8, "function_call"u8);
            json.WriteString("call_id"u8, $"call_{id}");
            json.WriteString("name"u8, tool.Name);
            json.WriteString("arguments"u8, text is null ? "" : tool.Arguments);
        }
        else
        {
            json.WriteString("type"u8, "message"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("content"u8);
            if (text is not null) WritePart(json, text);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WritePart(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "output_text"u8);
        json.WriteString("text"u8, text);
        WriteEmpty(json, "annotations"u8);
        WriteEmpty(json, "logprobs"u8);
        json.WriteEndObject();
    }

    private void WriteResponse(Utf8JsonWriter json, Generation generation, string status)
    {
        var answer = generation.Answers[0];
        var isEnded = status is "completed" or "incomplete";
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteNumber("created_at"u8, createdSeconds);
        if (status == "incomplete")
        {
            json.WriteStartObject("incomplete_details"u8);
            json.WriteString("reason"u8, "max_output_tokens"u8);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("incomplete_details"u8);
        }

        json.WriteString("instructions"u8, request.Instructions);
        json.WriteNull("metadata"u8);
        json.WriteString("model"u8, call.Model.Name);
        json.WriteString("object"u8, "response"u8);
        json.WriteStartArray("output"u8);
        if (isEnded) WriteItem(json, status, answer.Text());
        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls"u8, true);
        json.WriteNumber("temperature"u8, call.Temperature);
        json.WriteString("tool_choice"u8, "auto"u8);
        json.WritePropertyName("tools"u8);
        json.WriteRawValue(request.ToolsJson);
        json.WriteNumber("top_p"u8, 1);
        json.WriteBoolean("background"u8, request.Background);
        if (request.MaxOutputTokens > 0) json.WriteNumber("max_output_tokens"u8, request.MaxOutputTokens);
        else json.WriteNull("max_output_tokens"u8);
        json.WriteString("previous_response_id"u8, request.PreviousId);
        json.WriteString("service_tier"u8, "auto"u8);
        json.WriteString("status"u8, status);
        json.WriteString("truncation"u8, "disabled"u8);
        if (isEnded) WriteUsage(json, answer);
        else json.WriteNull("usage"u8);
        json.WriteNull("user"u8);
        json.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter json, Answer answer)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, call.PromptTokens);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, answer.CachedTokens);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, answer.Ready);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, call.PromptTokens + answer.Ready);
        json.WriteEndObject();
    }
}
