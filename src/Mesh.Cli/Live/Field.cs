using System.Globalization;
using System.Text.Json;

namespace Mesh.Cli.Live;

/// <summary>Fields of the gateway's answers as a person reads them. What is absent is a dash, so that columns stay columns.</summary>
internal static class Field
{
    /// <summary>What stands for nothing.</summary>
    public const string None = "-";

    /// <summary>The element under a path with points between its names; null where there is none.</summary>
    public static JsonElement? At(JsonElement item, string path)
    {
        var at = item;
        foreach (var name in path.Split('.'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        }

        return at.ValueKind == JsonValueKind.Null ? null : at;
    }

    /// <summary>A text, number or truth as text.</summary>
    public static string Text(JsonElement item, string path) => At(item, path) is { } value ? Plain(value) : None;

    /// <summary>A number in so many places.</summary>
    public static string Number(JsonElement item, string path, int places = 0) =>
        Double(item, path) is { } value ? value.ToString("F" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : None;

    /// <summary>A share as percent.</summary>
    public static string Percent(JsonElement item, string path) =>
        Double(item, path) is { } value ? $"{(value * 100).ToString("F0", CultureInfo.InvariantCulture)}%" : None;

    /// <summary>Milliseconds.</summary>
    public static string Milliseconds(JsonElement item, string path) => Double(item, path) is { } value ? Duration(value / 1000) : None;

    /// <summary>Seconds.</summary>
    public static string Seconds(JsonElement item, string path) => Double(item, path) is { } value ? Duration(value) : None;

    /// <summary>Time since a moment.</summary>
    public static string Since(JsonElement item, string path, DateTimeOffset now) =>
        At(item, path) is { ValueKind: JsonValueKind.String } text && text.TryGetDateTimeOffset(out var time) ? Duration(Math.Max(0, (now - time).TotalSeconds)) : None;

    /// <summary>So many of so many.</summary>
    public static string Of(JsonElement item, string part, string whole) => $"{Text(item, part)}/{Text(item, whole)}";

    /// <summary>A list of texts.</summary>
    public static string List(JsonElement item, string path) =>
        At(item, path) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? string.Join(",", list.EnumerateArray().Select(Plain)) : None;

    /// <summary>A number; null where there is none.</summary>
    public static double? Double(JsonElement item, string path) =>
        At(item, path) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) ? number : null;

    /// <summary>A duration in its fitting unit.</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 0.001 => "0ms",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:F0}ms"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:F1}s"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:F0}s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:F0}m"),
        < 172_800 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:F0}h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:F0}d"),
    };

    /// <summary>A value on one line.</summary>
    public static string Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()! is { Length: > 0 } text ? text : None,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array => value.GetArrayLength() == 0 ? None : string.Join(",", value.EnumerateArray().Select(Plain)),
        JsonValueKind.Object => string.Join(",", value.EnumerateObject().Select(p => $"{p.Name}={Plain(p.Value)}")),
        JsonValueKind.Null => None,
        _ => value.GetRawText(),
    };
}
