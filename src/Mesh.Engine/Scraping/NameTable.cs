using System.Text;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Numbers of a few wanted names. A name on a page is hashed from its length and two of its letters, so that most of the unwanted are told
/// apart without a comparison.
/// </summary>
internal sealed class NameTable
{
    private const int Buckets = 256;
    private readonly byte[][] _names;
    private readonly int[] _first = new int[Buckets];
    private readonly int[] _next;

    /// <param name="names">Names, each once and not empty; a name's number is its place.</param>
    public NameTable(IReadOnlyList<string> names)
    {
        _names = [.. names.Select(Encoding.UTF8.GetBytes)];
        _next = new int[_names.Length];
        Array.Fill(_first, -1);
        for (var i = 0; i < _names.Length; i++)
        {
            ref var first = ref _first[Bucket(_names[i])];
            _next[i] = first;
            first = i;
        }
    }

    /// <summary>The number of a name that is not empty; -1 when it is not wanted.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        for (var i = _first[Bucket(name)]; i >= 0; i = _next[i])
        {
            if (name.SequenceEqual(_names[i])) return i;
        }

        return -1;
    }

    // Histograms differ from their neighbours in the middle, and their sums and counts from their buckets near the end.
    private static int Bucket(ReadOnlySpan<byte> name) =>
        (name.Length * 31 + name[name.Length >> 1] * 7 + name[name.Length * 7 >> 3] * 13) & (Buckets - 1);
}
