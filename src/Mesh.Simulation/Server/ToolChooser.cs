using System.Buffers;
using System.Text;
using System.Text.Json;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>The call of a tool as an answer.</summary>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">Its arguments as JSON.</param>
internal sealed record ToolCall(string Name, string Arguments);

/// <summary>
/// Decides whether an answer is the call of a tool: it is, when the request offers one and does not forbid it, until the conversation ends
/// with a tool's result. The first tool is called, or the one that is asked for, with a value for every required argument.
/// </summary>
internal static class ToolChooser
{
    /// <summary>Of a chat completion.</summary>
    public static ToolCall? Chat(FieldReader body) => Choose(body, "messages", "function", "parameters");

    /// <summary>Of a request to the Responses API.</summary>
    public static ToolCall? Responses(FieldReader body) => Choose(body, "input", null, "parameters");

    /// <summary>Of a request to the Messages API.</summary>
    public static ToolCall? Messages(FieldReader body) => Choose(body, "messages", null, "input_schema");

    /// <summary>The cap on tokens of an answer that is the call of a tool: as many as the arguments have.</summary>
    public static int Cap(ToolCall? tool, int cap)
    {
        if (tool is null) return cap;
        List<int> tokens = [];
        Tokenizer.Append(tokens, tool.Arguments);
        return cap == 0 ? tokens.Count : Math.Min(cap, tokens.Count);
    }

    private static ToolCall? Choose(FieldReader body, string conversation, string? wrapper, string schemaName)
    {
        if (!body.TryGet("tools", out var tools) || tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0) return null;
        string? wanted = null;
        if (body.TryGet("tool_choice", out var choice) && !Allows(choice, wrapper, out wanted)) return null;
        if (body.TryGet(conversation, out var items) && EndsWithResult(items)) return null;
        foreach (var tool in tools.EnumerateArray())
        {
            if (tool.ValueKind != JsonValueKind.Object) continue;
            var function = wrapper is not null && tool.TryGetProperty(wrapper, out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : tool;
            if (!function.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String) continue;
            if (wanted is not null && name.GetString() != wanted) continue;
            var schema = function.TryGetProperty(schemaName, out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
            return new ToolCall(name.GetString()!, Arguments(schema));
        }

        return null;
    }

    private static bool Allows(JsonElement choice, string? wrapper, out string? wanted)
    {
        wanted = null;
        if (choice.ValueKind == JsonValueKind.String) return choice.GetString() != "none";
        if (choice.ValueKind != JsonValueKind.Object) return true;
        if (choice.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "none") return false;
        var holder = wrapper is not null && choice.TryGetProperty(wrapper, out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : choice;
        if (holder.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String) wanted = name.GetString();
        return true;
    }

    private static bool EndsWithResult(JsonElement items)
    {
        if (items.ValueKind != JsonValueKind.Array || items.GetArrayLength() == 0) return false;
        var last = items[items.GetArrayLength() - 1];
        if (last.ValueKind != JsonValueKind.Object) return false;
        if (Is(last, "role", "tool") || Is(last, "type", "function_call_output")) return true;
        return last.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.Array
            && content.EnumerateArray().Any(part => part.ValueKind == JsonValueKind.Object && Is(part, "type", "tool_result"));
    }

    private static bool Is(JsonElement item, string name, string value) =>
        item.TryGetProperty(name, out var found) && found.ValueKind == JsonValueKind.String && found.GetString() == value;

    private static string Arguments(JsonElement schema)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in properties.EnumerateObject()) WriteArgument(json, property);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteArgument(Utf8JsonWriter json, JsonProperty property)
    {
        json.WritePropertyName(property.Name);
        var schema = property.Value;
        if (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() > 0)
        {
            values[0].WriteTo(json);
            return;
        }

        var type = schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : "string";
        switch (type)
        {
            case "integer" or "number":
                json.WriteNumberValue(1);
                break;
            case "boolean":
                json.WriteBooleanValue(true);
                break;
            case "array":
                json.WriteStartArray();
                json.WriteEndArray();
                break;
            case "object":
                json.WriteStartObject();
                json.WriteEndObject();
                break;
            default:
                json.WriteStringValue("Naples");
                break;
        }
    }
}
