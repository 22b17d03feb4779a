using System.Globalization;
using System.Text;
using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Live;

/// <summary>Everything that is known of one thing, for people: a line for each field, a table for each list of things.</summary>
internal sealed class Description(ToolConsole console)
{
    private const int LabelWidth = 26;

    /// <summary>Writes the fields of an object.</summary>
    public void Write(JsonElement item, int indent = 0)
    {
        foreach (var property in item.EnumerateObject().Where(p => !IsNested(p.Value))) Line(LabelOf(property.Name), ValueOf(property.Name, property.Value), indent);
        foreach (var property in item.EnumerateObject().Where(p => IsNested(p.Value)))
        {
            Heading(LabelOf(property.Name), indent);
            if (property.Value.ValueKind == JsonValueKind.Object) Write(property.Value, indent + 2);
            else Table(property.Value, indent + 2);
        }
    }

    /// <summary>Writes a heading.</summary>
    public void Heading(string text, int indent = 0)
    {
        console.Write(new string(' ', indent));
        console.WriteLine($"{text}:", Palette.Heading);
    }

    /// <summary>Writes one field.</summary>
    public void Line(string label, string value, int indent = 0) =>
        console.WriteLine($"{new string(' ', indent)}{(label + ":").PadRight(Math.Max(1, LabelWidth - indent))} {value}");

    private void Table(JsonElement list, int indent)
    {
        var rows = list.EnumerateArray().ToList();
        string[] names = [.. rows.SelectMany(r => r.EnumerateObject()).Where(p => !IsNested(p.Value)).Select(p => p.Name).Distinct()];
        var table = new Columns();
        table.Add([.. names.Select(n => new Columns.Cell(LabelOf(n), Palette.Dim))]);
        foreach (var row in rows) table.Add([.. names.Select(n => (Columns.Cell)(Field.At(row, n) is { } value ? ValueOf(n, value) : Field.None))]);
        table.Write(console, indent);
    }

    private static bool IsNested(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.Object,
        _ => false,
    };

    private static string ValueOf(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number) return Field.Plain(value);
        var number = value.GetDouble();
        if (name.EndsWith("Ratio", StringComparison.Ordinal) && !name.EndsWith("SpeedRatio", StringComparison.Ordinal) || name is "fullness" or "capacityScaler")
            return $"{(number * 100).ToString("0.#", CultureInfo.InvariantCulture)}%";
        if (name.EndsWith("Ms", StringComparison.Ordinal)) return Field.Duration(number / 1000);
        return name.EndsWith("Seconds", StringComparison.Ordinal) ? Field.Duration(number) : value.GetRawText();
    }

    /// <summary><c>inFlightRequests</c> as <c>In flight requests</c>; units are told by the values.</summary>
    private static string LabelOf(string name)
    {
        // A name that somebody gave is no field's.
        if (name.Contains('-', StringComparison.Ordinal)) return name;
        foreach (var unit in (string[])["Ratio", "Ms", "Seconds"])
        {
            if (name.EndsWith(unit, StringComparison.Ordinal) && name.Length > unit.Length && !name.EndsWith("SpeedRatio", StringComparison.Ordinal)) name = name[..^unit.Length];
        }

        var label = new StringBuilder();
        foreach (var c in name)
        {
            if (c == '_') label.Append(' ');
            else if (char.IsUpper(c)) label.Append(' ').Append(char.ToLowerInvariant(c));
            else label.Append(label.Length == 0 ? char.ToUpperInvariant(c) : c);
        }

        return label.ToString();
    }
}
