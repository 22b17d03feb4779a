using System.Text;
using Mesh.Engine.Scraping.Orca;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// Strings of the headers that one endpoint sends: its answers name the same headers in the same order, so the strings of the one before are
/// used again. Bounded. Thread-safe: entries are immutable, and of two writers either may win.
/// </summary>
internal sealed class HeaderMemory
{
    private const int MaxEntries = 32;
    private const int MaxKeptBytes = 128;

    private readonly Entry?[] _entries = new Entry?[MaxEntries];

    /// <summary>Name and value of the header at a position of an answer.</summary>
    public Entry At(int index, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (index >= MaxEntries || name.Length + value.Length > MaxKeptBytes) return new Entry(Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(value));
        var known = _entries[index];
        if (known is null || !Ascii.Equals(name, known.Name)) known = new Entry(Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(value));
        else if (!Ascii.Equals(value, known.Value)) known = new Entry(known, Encoding.Latin1.GetString(value));
        else return known;
        _entries[index] = known;
        return known;
    }

    /// <summary>One header.</summary>
    internal sealed class Entry
    {
        public Entry(string name, string value)
        {
            Name = name;
            Value = value;
            IsRelayed = HeaderRules.IsRelayed(name, default);
            IsContentLength = name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase);
            IsContentType = name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase);
            IsLoadReport = name.Equals(OrcaHeader.Name, StringComparison.OrdinalIgnoreCase);
        }

        public Entry(Entry sameName, string value)
        {
            Name = sameName.Name;
            Value = value;
            IsRelayed = sameName.IsRelayed;
            IsContentLength = sameName.IsContentLength;
            IsContentType = sameName.IsContentType;
            IsLoadReport = sameName.IsLoadReport;
        }

        public string Name { get; }

        public string Value { get; }

        /// <summary>True unless it belongs to the hop; what <c>Connection</c> names aside.</summary>
        public bool IsRelayed { get; }

        public bool IsContentLength { get; }

        public bool IsContentType { get; }

        public bool IsLoadReport { get; }
    }
}
