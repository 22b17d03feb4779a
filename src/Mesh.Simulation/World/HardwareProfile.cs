using System.Globalization;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.World;

/// <summary>One kind of endpoint in a fleet.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="Weight">How many of each turn's endpoints are of this kind, 1–10,000.</param>
internal sealed record HardwareProfile(string Name, VllmModelOptions Engine, int Weight)
{
    /// <summary>
    /// Reads a fleet: kinds separated by commas, each <c>prefill-ratio[/decode-ratio[/kv-blocks]][=weight]</c>, where a ratio is how many times
    /// as long the measured accelerator's steps take. <c>1=3,2.5/1.8/12000=1</c>: three as measured, then one with prompts 2.5 and decode
    /// steps 1.8 times as slow and 12,000 blocks of cache.
    /// </summary>
    /// <param name="text">The description.</param>
    /// <param name="measured">Engine of ratio 1.</param>
    /// <exception cref="FormatException">It cannot be read; the message names the kind.</exception>
    public static IReadOnlyList<HardwareProfile> ParseFleet(string text, VllmModelOptions measured)
    {
        List<HardwareProfile> fleet = [];
        foreach (var kind in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            fleet.Add(ParseKind(kind, measured) ?? throw new FormatException($"'{kind}': expected prefill-ratio[/decode-ratio[/kv-blocks]][=weight], such as 2.5/1.8/12000=1."));
        }

        return fleet;
    }

    private static HardwareProfile? ParseKind(string kind, VllmModelOptions measured)
    {
        var halves = kind.Split('=');
        var parts = halves[0].Split('/');
        var weight = 1;
        if (halves.Length > 2 || parts.Length > 3) return null;
        if (halves.Length == 2 && !(int.TryParse(halves[1], NumberStyles.None, CultureInfo.InvariantCulture, out weight) && weight is >= 1 and <= 10_000)) return null;
        if (!TryRatio(parts[0], out var prefill)) return null;
        var decode = prefill;
        if (parts.Length > 1 && !TryRatio(parts[1], out decode)) return null;
        var blocks = measured.NumGpuBlocks;
        if (parts.Length > 2 && !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out blocks)) return null;
        if (blocks is < 16 or > 1 << 26) return null;
        return new HardwareProfile(halves[0], (measured with { StepTimes = measured.StepTimes.Scaled(halves[0], prefill, decode), NumGpuBlocks = blocks }).WithRoomForOne(), weight);
    }

    private static bool TryRatio(string text, out double ratio) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out ratio) && ratio is >= 0.01 and <= 100;
}
