namespace Mesh.Simulation.Traces;

/// <summary>Reads a trace by what its name ends with: <c>.jsonl</c> is Mooncake's format, <c>.csv</c> Azure's.</summary>
internal static class TraceFile
{
    /// <summary>Rows in order of time, beginning with row <paramref name="skip"/> and at most <paramref name="most"/> of them.</summary>
    /// <exception cref="TraceFormatException">A line cannot be read.</exception>
    /// <exception cref="ArgumentException">Another ending, a negative number, or no rows.</exception>
    public static List<TraceRequest> Read(string path, ulong seed, int skip, int most)
    {
        if (skip < 0 || most < 1) throw new ArgumentException("Rows to skip are not negative, and one at least is read.");
        var rows = Path.GetExtension(path) switch
        {
            ".jsonl" => MooncakeTrace.Read(File.ReadLines(path), path, seed, skip, most),
            ".csv" => AzureTrace.Read(File.ReadLines(path), path, skip, most),
            var other => throw new ArgumentException($"{path}: traces end in .jsonl (Mooncake) or .csv (Azure), not in '{other}'."),
        };
        if (rows.Count == 0) throw new ArgumentException(skip > 0 ? $"{path}: no row is left after leaving out {skip}." : $"{path}: no rows.");
        return rows;
    }
}
