using System.Collections.Immutable;

namespace Mesh.Resources.Reading;

/// <summary>A YAML node with its place. Unlike a dictionary it keeps repeated keys, so that they can be reported.</summary>
internal abstract class YamlNode(int line, int column)
{
    public int Line { get; } = line;

    public int Column { get; } = column;

    /// <summary>What the node is, in the words of a message.</summary>
    public abstract string Describe();
}

/// <summary>A scalar. Only a plain one can be null, a number or a boolean.</summary>
internal sealed class YamlScalar(string text, bool isPlain, int line, int column) : YamlNode(line, column)
{
    public string Text { get; } = text;

    public bool IsPlain { get; } = isPlain;

    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Describe() => this switch
    {
        { IsNull: true } => "nothing",
        { IsPlain: false } => $"the text \"{Text}\"",
        _ when ScalarText.IsBoolean(Text) => $"the boolean {Text}",
        _ when ScalarText.IsNumber(Text) => $"the number {Text}",
        _ => $"the text \"{Text}\"",
    };
}

/// <summary>A sequence.</summary>
internal sealed class YamlSequence(ImmutableArray<YamlNode> items, int line, int column) : YamlNode(line, column)
{
    public ImmutableArray<YamlNode> Items { get; } = items;

    public override string Describe() => "a list";
}

/// <summary>A mapping in the order of the file.</summary>
internal sealed class YamlMapping(ImmutableArray<YamlEntry> entries, int line, int column) : YamlNode(line, column)
{
    public ImmutableArray<YamlEntry> Entries { get; } = entries;

    public override string Describe() => "an object";
}

/// <summary>One key with its value.</summary>
internal readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);
