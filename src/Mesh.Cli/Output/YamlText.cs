using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mesh.Cli.Output;

/// <summary>JSON as YAML, in block style; texts are quoted where they would read as something else.</summary>
internal static class YamlText
{
    private static readonly JsonSerializerOptions Quoted = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a value.</summary>
    public static void Write(ToolConsole console, JsonElement value)
    {
        var text = new StringBuilder();
        Write(text, value, 0, isInline: false);
        console.Out.Write(text.ToString().TrimStart('\n'));
    }

    private static void Write(StringBuilder text, JsonElement value, int indent, bool isInline)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.EnumerateObject().Any():
                foreach (var property in value.EnumerateObject())
                {
                    if (!isInline) text.Append(' ', indent);
                    isInline = false;
                    text.Append(Scalar(property.Name)).Append(':');
                    Nested(text, property.Value, indent);
                }

                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                foreach (var item in value.EnumerateArray())
                {
                    if (!isInline) text.Append(' ', indent);
                    isInline = false;
                    text.Append("- ");
                    Write(text, item, indent + 2, isInline: true);
                }

                break;
            case JsonValueKind.Object:
                text.Append("{}\n");
                break;
            case JsonValueKind.Array:
                text.Append("[]\n");
                break;
            default:
                text.Append(value.ValueKind == JsonValueKind.String ? Scalar(value.GetString()!) : value.GetRawText()).Append('\n');
                break;
        }
    }

    private static void Nested(StringBuilder text, JsonElement value, int indent)
    {
        var isBlock = (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any()) || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0);
        text.Append(isBlock ? "\n" : " ");
        Write(text, value, value.ValueKind == JsonValueKind.Array ? indent : indent + 2, isInline: false);
    }

    private static string Scalar(string text) => IsPlain(text) ? text : JsonSerializer.Serialize(text, Quoted);

    private static bool IsPlain(string text)
    {
        if (text.Length == 0 || text is "true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n" or "~") return false;
        if (!char.IsAsciiLetter(text[0]) && text[0] != '/' && text[0] != '_') return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '.' or '-' or '_' or '@')) return false;
        }

        return true;
    }
}
