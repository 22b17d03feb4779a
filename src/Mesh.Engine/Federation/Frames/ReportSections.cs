using System.Collections.Immutable;

namespace Mesh.Engine.Federation.Frames;

/// <summary>
/// A report as a set of sections, each a key and its bytes: what changed between two reports are the sections whose bytes did. Immutable.
/// </summary>
/// <param name="Sections">Sections by key, in the order of the keys.</param>
internal sealed record ReportSections(ImmutableSortedDictionary<string, byte[]> Sections)
{
    /// <summary>Most sections of a report.</summary>
    public const int MaxSections = 16_384;

    /// <summary>Largest section in bytes.</summary>
    public const int MaxSectionBytes = 64 * 1024;

    /// <summary>Longest key in bytes.</summary>
    public const int MaxKeyBytes = 512;

    /// <summary>A report of nothing.</summary>
    public static ReportSections Empty { get; } = new(ImmutableSortedDictionary.Create<string, byte[]>(StringComparer.Ordinal));

    /// <summary>Writes what leads from <paramref name="before"/> to this report.</summary>
    public void WriteChanges(ReportSections before, ByteWriter writer)
    {
        var changed = 0;
        foreach (var (key, bytes) in Sections)
        {
            if (!before.Has(key, bytes)) changed++;
        }

        writer.Number((ulong)changed);
        foreach (var (key, bytes) in Sections)
        {
            if (before.Has(key, bytes)) continue;
            writer.Text(key);
            writer.Block(bytes);
        }

        var gone = 0;
        foreach (var key in before.Sections.Keys)
        {
            if (!Sections.ContainsKey(key)) gone++;
        }

        writer.Number((ulong)gone);
        foreach (var key in before.Sections.Keys)
        {
            if (!Sections.ContainsKey(key)) writer.Text(key);
        }
    }

    /// <summary>This report with the changes that come next in the bytes.</summary>
    /// <exception cref="InvalidDataException">They are not of the form.</exception>
    public ReportSections ReadChanges(ref ByteReader reader)
    {
        var sections = Sections.ToBuilder();
        var changed = reader.Count(MaxSections);
        for (var i = 0; i < changed; i++)
        {
            var key = reader.Text(MaxKeyBytes);
            sections[key] = reader.Block(MaxSectionBytes).ToArray();
        }

        var gone = reader.Count(MaxSections);
        for (var i = 0; i < gone; i++) sections.Remove(reader.Text(MaxKeyBytes));
        if (sections.Count > MaxSections) throw new InvalidDataException($"A report has more than {MaxSections} sections.");
        return changed == 0 && gone == 0 ? this : new ReportSections(sections.ToImmutable());
    }

    private bool Has(string key, byte[] bytes) =>
        Sections.TryGetValue(key, out var mine) && (ReferenceEquals(mine, bytes) || mine.AsSpan().SequenceEqual(bytes));
}
