using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Mesh.Resources.Reading;

/// <summary>Builds the tree of one document from the parser's events: anchors, aliases and merge keys resolved, repeated keys kept.</summary>
internal sealed class YamlTreeBuilder(IParser parser, int linesBefore)
{
    private readonly Dictionary<string, (YamlNode Node, int Size)> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    public YamlNode Build() => Node(0);

    private YamlNode Node(int depth)
    {
        var start = parser.Current?.Start ?? Mark.Empty;
        if (depth > ReadingLimits.MaxDepth) throw new YamlException(start, start, $"Nested deeper than {ReadingLimits.MaxDepth} levels");
        Count(1, start);
        if (parser.TryConsume<AnchorAlias>(out var alias)) return Resolve(alias);

        var before = _nodes;
        var anchor = (parser.Current as NodeEvent)?.Anchor ?? AnchorName.Empty;
        YamlNode node = parser.TryConsume<Scalar>(out var scalar) ? Leaf(scalar)
            : parser.TryConsume<SequenceStart>(out var sequence) ? Sequence(sequence, depth)
            : parser.TryConsume<MappingStart>(out var mapping) ? Mapping(mapping, depth)
            : throw new YamlException(start, start, "A value was expected here");
        if (!anchor.IsEmpty) _anchors[anchor.Value] = (node, _nodes - before + 1);
        return node;
    }

    private YamlScalar Leaf(Scalar scalar) =>
        new(scalar.Value, scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty, Line(scalar.Start), (int)scalar.Start.Column);

    private YamlSequence Sequence(SequenceStart start, int depth)
    {
        var items = ImmutableArray.CreateBuilder<YamlNode>();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(depth + 1));
        return new YamlSequence(items.ToImmutable(), Line(start.Start), (int)start.Start.Column);
    }

    private YamlMapping Mapping(MappingStart start, int depth)
    {
        var entries = ImmutableArray.CreateBuilder<YamlEntry>();
        var merged = new List<YamlMapping>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var mark = parser.Current?.Start ?? Mark.Empty;
            if (Node(depth + 1) is not YamlScalar key)
                throw new YamlException(mark, mark, "A key must be a plain word, not a list or an object");
            var value = Node(depth + 1);
            if (key is not { IsPlain: true, Text: "<<" }) entries.Add(new YamlEntry(key, value));
            else if (value is YamlMapping one) merged.Add(one);
            else if (value is YamlSequence many) merged.AddRange(many.Items.OfType<YamlMapping>());
        }

        // Merged keys stand behind the mapping's own: the first of a name counts.
        foreach (var entry in merged.SelectMany(m => m.Entries))
        {
            if (entries.All(e => e.Key.Text != entry.Key.Text)) entries.Add(entry);
        }

        return new YamlMapping(entries.ToImmutable(), Line(start.Start), (int)start.Start.Column);
    }

    private YamlNode Resolve(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var anchored))
            throw new YamlException(alias.Start, alias.End, $"No anchor &{alias.Value.Value} stands before this alias");

        // What an alias repeats counts as often as it is repeated, or a few lines could stand for billions of nodes.
        Count(anchored.Size, alias.Start);
        return anchored.Node;
    }

    private void Count(int nodes, Mark at)
    {
        _nodes += nodes;
        if (_nodes > ReadingLimits.MaxNodesPerDocument)
            throw new YamlException(at, at, $"The document has more than {ReadingLimits.MaxNodesPerDocument} nodes");
    }

    private int Line(Mark mark) => (int)mark.Line + linesBefore;
}
