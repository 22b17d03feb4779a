using System.Globalization;

namespace Mesh.Simulation.Faults.Script;

/// <summary>One thing that breaks.</summary>
/// <param name="AtMs">When, in ms since the world began.</param>
/// <param name="Kind">What.</param>
/// <param name="Target">Number of the endpoint, gateway or region, from 0; taken modulo their number.</param>
/// <param name="DurationMs">For how long, in ms; without meaning where nothing lasts.</param>
internal sealed record Fault(double AtMs, FaultKind Kind, int Target, double DurationMs)
{
    /// <summary>As a line of a script: <c>1500 endpoint-crash 2 4000</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{AtMs:0.###} {NameOf(Kind)} {Target} {DurationMs:0.###}");

    /// <summary>Reads a script: one fault a line, <c>time-ms kind target duration-ms</c>; empty lines and what follows a # are passed over.</summary>
    /// <exception cref="FormatException">A line cannot be read; the message names it.</exception>
    public static List<Fault> ParseScript(IEnumerable<string> lines)
    {
        List<Fault> faults = [];
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            var words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 0) continue;
            faults.Add(Parse(words) ?? throw new FormatException($"Line {number}: expected 'time-ms kind target duration-ms', kind one of {string.Join(", ", Names)}."));
        }

        return faults;
    }

    private static IEnumerable<string> Names => Enum.GetValues<FaultKind>().Select(NameOf);

    private static Fault? Parse(string[] words)
    {
        if (words.Length is < 3 or > 4) return null;
        if (!TryNumber(words[0], out var at) || !int.TryParse(words[2], CultureInfo.InvariantCulture, out var target) || target < 0) return null;
        var duration = 1000.0;
        if (words.Length == 4 && !TryNumber(words[3], out duration)) return null;
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            if (NameOf(kind) == words[1]) return new Fault(at, kind, target, duration);
        }

        return null;
    }

    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value < 1e9;

    private static string NameOf(FaultKind kind) =>
        string.Concat(kind.ToString().Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
