using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>Objects, lists and maps.</summary>
internal sealed partial class ObjectReader
{
    /// <summary>Reads a nested object and reports its unknown fields.</summary>
    public T? Object<T>(string name, Func<ObjectReader, T?> read, bool required = false, bool tolerant = false)
        where T : class
    {
        if (Find(name, required) is not { } entry) return null;
        var at = SpotOf(entry);
        if (entry.Value is YamlMapping mapping) return Nested(mapping, at, read, tolerant);
        WrongType(at, "an object", entry.Value);
        return null;
    }

    /// <summary>Reads a list of objects; items that are none are reported and left out.</summary>
    public ImmutableArray<T> List<T>(string name, Func<ObjectReader, T?> read, int min = 0, int max = int.MaxValue, bool required = false)
        where T : class =>
        Items(name, min, max, required, (node, at) =>
        {
            if (node is YamlMapping mapping) return Nested(mapping, at, read, tolerant: false);
            WrongType(at, "an object", node);
            return null;
        });

    /// <summary>Reads a list of texts.</summary>
    public ImmutableArray<Located<string>> Strings(string name, int min = 0, int max = int.MaxValue, bool required = false) =>
        Items(name, min, max, required, (node, at) => Text(node, at) is { } text ? new Located<string>(text, at) : null);

    /// <summary>Reads a map of texts, such as labels; null when it is absent.</summary>
    public Located<ImmutableSortedDictionary<string, string>>? Map(string name, int min = 0, int max = int.MaxValue, bool required = false)
    {
        if (Find(name, required) is not { } entry) return null;
        var at = SpotOf(entry);
        if (entry.Value is not YamlMapping mapping)
        {
            WrongType(at, "a map of texts", entry.Value);
            return null;
        }

        // The nested reader reports repeated keys.
        var reader = new ObjectReader(mapping, at, Report, tolerant: true);
        var builder = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in mapping.Entries)
        {
            if (reader.String(key.Text, allowEmpty: true, maxLength: 262_144) is { } text) builder[key.Text] = text.Value;
            else if (value is YamlScalar { IsNull: true }) builder[key.Text] = "";
        }

        reader.Done();

        CheckCount(at, mapping.Entries.Length, min, max, "entries");
        return new Located<ImmutableSortedDictionary<string, string>>(builder.ToImmutable(), at);
    }

    private ImmutableArray<T> Items<T>(string name, int min, int max, bool required, Func<YamlNode, Spot, T?> read)
        where T : class
    {
        if (Find(name, required) is not { } entry) return [];
        var at = SpotOf(entry);
        if (entry.Value is not YamlSequence sequence)
        {
            WrongType(at, "a list", entry.Value);
            return [];
        }

        CheckCount(at, sequence.Items.Length, min, max, "items");
        var items = ImmutableArray.CreateBuilder<T>(sequence.Items.Length);
        for (var i = 0; i < sequence.Items.Length; i++)
        {
            var node = sequence.Items[i];
            var itemAt = at with { Path = $"{at.Path}[{i}]", Line = node.Line, Column = node.Column };
            if (read(node, itemAt) is { } item) items.Add(item);
        }

        return items.ToImmutable();
    }

    private T? Nested<T>(YamlMapping mapping, Spot at, Func<ObjectReader, T?> read, bool tolerant)
        where T : class
    {
        var reader = new ObjectReader(mapping, at, Report, _tolerant || tolerant);
        var value = read(reader);
        reader.Done();
        return value;
    }

    private void CheckCount(Spot at, int count, int min, int max, string unit)
    {
        if (count >= min && count <= max) return;
        var range = max == int.MaxValue ? $"at least {min}" : min == 0 ? $"at most {max}" : $"{min}–{max}";
        Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} has {count} {unit}; allowed are {range}");
    }
}
