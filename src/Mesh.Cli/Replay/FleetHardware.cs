using System.Collections.Immutable;
using Mesh.Core.StepTimes;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Cli.Replay;

/// <summary>Hardware profiles: those that are built in, and those that a fleet file declares.</summary>
internal static class FleetHardware
{
    /// <summary>Name of the profile that is always there.</summary>
    public const string BuiltIn = "h100-llama-3.1-8b";

    private static readonly VllmModelOptions Default = new WorldOptions().Engine;

    /// <summary>One profile.</summary>
    public sealed record Profile(Located<string>? Name, VllmModelOptions Engine, double? PricePerHour = null);

    /// <summary>Reads one declaration.</summary>
    public static Profile? Read(ObjectReader r)
    {
        var name = r.String("name", required: true, maxLength: 63);
        var table = r.Object("stepTimes", StepTimesReader.Read)?.Value ?? H100Llama8B.Table;
        var speed = r.Number("speed", 0.01, 100)?.Value ?? 1;
        var blockSize = r.Int("blockSize", 1, 512)?.Value ?? Default.BlockSize;
        var blocks = r.Int("numGpuBlocks", 16, 1 << 26)?.Value ?? Default.NumGpuBlocks;
        var sequences = r.Int("maxNumSeqs", 1, 65_536)?.Value ?? Default.MaxNumSeqs;
        var batched = r.Int("maxNumBatchedTokens", 1, 1 << 24)?.Value ?? Math.Max(Default.MaxNumBatchedTokens, sequences);
        var longest = r.Int("maxModelLen", 2, WorldOptions.LongestPrompt)?.Value ?? WorldOptions.LongestPrompt;
        var price = r.Number("pricePerHour", 0, 1_000_000)?.Value;
        if (name is null) return null;
        if (512 % blockSize != 0)
            r.Report.Error(r.SpotOf("blockSize"), Resources.Diagnostics.DiagnosticCodes.OutOfRange, $"{r.SpotOf("blockSize").Path} is {blockSize}; it must divide 512", "write 8, 16 or 32");
        if (batched < sequences)
            r.Report.Error(
                r.SpotOf("maxNumBatchedTokens"), Resources.Diagnostics.DiagnosticCodes.OutOfRange,
                $"{r.SpotOf("maxNumBatchedTokens").Path} is {batched}, below maxNumSeqs, which is {sequences}", $"write at least {sequences}");
        var engine = new VllmModelOptions
        {
            StepTimes = table.WithLongPrompts(WorldOptions.LongestPrompt).Scaled(table.Name, 1 / speed, 1 / speed),
            MaxNumSeqs = sequences,
            MaxNumBatchedTokens = batched,
            NumGpuBlocks = blocks,
            BlockSize = blockSize,
            MaxModelLen = longest,
        };
        return new Profile(name, engine.WithRoomForOne(), price);
    }

    /// <summary>All profiles by name, with the built-in one where none of that name is declared.</summary>
    public static ImmutableSortedDictionary<string, Profile> All(ImmutableArray<Profile> declared)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, Profile>(StringComparer.Ordinal);
        all[BuiltIn] = new Profile(null, Default);
        foreach (var profile in declared) all[profile.Name!.Value] = profile;
        return all.ToImmutable();
    }
}
