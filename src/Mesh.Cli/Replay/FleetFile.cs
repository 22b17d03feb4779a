using System.Collections.Immutable;
using System.Globalization;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Replay;

/// <summary>Reads a file with one <c>SimulatedFleet</c>, and reports everything that is wrong with it as manifests are reported.</summary>
internal static class FleetFile
{
    private const string ApiVersion = "mesh.internal/v1alpha1";
    private const string Kind = "SimulatedFleet";
    private const int MostEndpoints = 100_000;

    /// <summary>Reads the file.</summary>
    /// <param name="path">Its path, as findings name it.</param>
    /// <param name="report">Where findings go.</param>
    /// <returns>The fleet; null when there are errors.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static FleetDescription? Read(string path, DiagnosticBag report)
    {
        var documents = YamlReader.Read(path, File.ReadAllText(path), report);
        if (report.HasErrors) return null;
        if (documents is not [{ Root: YamlMapping root } document])
        {
            report.Error(
                Spot.OfFile(path), DiagnosticCodes.NotAnObject, $"One {Kind} was expected, but the file has {documents.Count} documents",
                $"begin with apiVersion: {ApiVersion} and kind: {Kind}");
            return null;
        }

        var reader = new ObjectReader(root, new Spot(path, document.Index, "", root.Line, root.Column), report);
        reader.Choice("apiVersion", [(ApiVersion, true)], required: true);
        reader.Choice("kind", [(Kind, true)], required: true);
        reader.Object("metadata", m => m.String("name"), tolerant: true);
        var fleet = reader.Object("spec", Spec, required: true);
        reader.Done();
        return report.HasErrors ? null : fleet;
    }

    private static FleetDescription? Spec(ObjectReader r)
    {
        var regions = r.Strings("regions", 1, 1000, required: true);
        Once(r, regions, "regions");
        var times = r.NumberRows("roundTripMs", 0, 10_000, required: regions.Length > 1);
        var declared = r.List("hardware", FleetHardware.Read, 0, 1000);
        Once(r, [.. declared.Select(h => h.Name!)], "hardware");
        var hardware = FleetHardware.All(declared);
        var clusters = r.List("clusters", c => Cluster(c, regions, hardware), 1, 10_000, required: true);
        Once(r, [.. clusters.Select(c => c.Name)], "clusters");
        var clients = r.List("clients", c => Clients(c, regions), 0, 10_000);
        CheckTimes(r, regions, times);
        var fleet = new FleetDescription
        {
            Regions = regions,
            RoundTripMs = times.Length == 0 ? [[1.0]] : [.. times.Select(row => row.Value)],
            Clusters = clusters,
            Clients = clients,
        };
        if (!clusters.IsEmpty) CheckEndpoints(r, fleet);
        return fleet;
    }

    private static FleetCluster? Cluster(ObjectReader r, ImmutableArray<Located<string>> regions, ImmutableSortedDictionary<string, FleetHardware.Profile> hardware)
    {
        var name = r.String("name", required: true, maxLength: 253);
        var region = Known(r, "region", regions.Select(x => x.Value), "regions");
        var groups = r.List("endpoints", g => Group(g, hardware), 1, 1000, required: true);
        return name is null || region is null ? null : new FleetCluster(name, region, groups);
    }

    private static FleetGroup? Group(ObjectReader r, ImmutableSortedDictionary<string, FleetHardware.Profile> hardware)
    {
        var name = r.Has("hardware") ? Known(r, "hardware", hardware.Keys, "hardware profiles") : null;
        var count = r.Int("count", 1, MostEndpoints)?.Value ?? 1;
        var zone = r.String("zone");
        if (r.Has("hardware") && name is null) return null;
        var used = name?.Value ?? FleetHardware.BuiltIn;
        return new FleetGroup(used, hardware[used].Engine, count, zone, r.At, hardware[used].PricePerHour);
    }

    private static FleetClients? Clients(ObjectReader r, ImmutableArray<Located<string>> regions)
    {
        var region = Known(r, "region", regions.Select(x => x.Value), "regions");
        var share = r.Number("share", 0.0001, 1e9)?.Value ?? 1;
        var objective = r.String("objective");
        return region is null ? null : new FleetClients(region, share, objective);
    }

    // A required name that must be one of those known.
    private static Located<string>? Known(ObjectReader r, string field, IEnumerable<string> known, string what)
    {
        if (r.String(field, required: true) is not { } text) return null;
        var names = known.ToList();
        if (names.Contains(text.Value)) return text;
        // Where there is none at all, that has been reported, once.
        if (names.Count == 0) return null;
        var nearest = NearestName.Of(text.Value, names);
        r.Report.Error(
            text.At, DiagnosticCodes.UnknownValue, $"{text.At.Path} is {text.Value}, which is not among the {what}: {string.Join(", ", names)}",
            nearest is null ? null : $"did you mean {nearest}?");
        return null;
    }

    private static void Once(ObjectReader r, ImmutableArray<Located<string>> names, string field)
    {
        for (var i = 1; i < names.Length; i++)
        {
            if (names.Take(i).FirstOrDefault(n => n.Value == names[i].Value) is { } first)
                r.Report.Error(names[i].At, DiagnosticCodes.DuplicateValue, $"{names[i].Value} is in {r.At.Path}.{field} twice, first in line {first.At.Line}", "keep one of them");
        }
    }

    private static void CheckTimes(ObjectReader r, ImmutableArray<Located<string>> regions, ImmutableArray<Located<ImmutableArray<double>>> times)
    {
        if (times.IsEmpty || regions.IsEmpty) return;
        var at = r.SpotOf("roundTripMs");
        const string Hint = "write a row and a column for each region, in the order of regions; within a region stands on the diagonal";
        if (times.Length != regions.Length)
        {
            r.Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} has {times.Length} rows for {regions.Length} regions", Hint);
            return;
        }

        for (var i = 0; i < times.Length; i++)
        {
            var row = times[i];
            if (row.Value.Length != regions.Length)
            {
                r.Report.Error(row.At, DiagnosticCodes.OutOfRange, $"{row.At.Path} has {row.Value.Length} times for {regions.Length} regions", Hint);
                continue;
            }

            for (var j = 0; j < i; j++)
            {
                if (times[j].Value.Length != regions.Length || row.Value[j] == times[j].Value[i]) continue;
                r.Report.Error(
                    row.At, DiagnosticCodes.OutOfRange,
                    string.Create(CultureInfo.InvariantCulture, $"{row.At.Path} says {row.Value[j]} ms between {regions[i].Value} and {regions[j].Value}, but line {times[j].At.Line} says {times[j].Value[i]} ms"),
                    "a round trip is as long from either end: write the same number twice");
            }
        }
    }

    private static void CheckEndpoints(ObjectReader r, FleetDescription fleet)
    {
        var at = r.SpotOf("clusters");
        if (fleet.Endpoints is < 1 or > MostEndpoints)
            r.Report.Error(at, DiagnosticCodes.OutOfRange, $"{at.Path} has {fleet.Endpoints} endpoints in all; allowed are 1–{MostEndpoints}");
        var groups = fleet.Clusters.SelectMany(c => c.Groups).ToList();
        if (groups.Find(g => g.Engine.BlockSize != groups[0].Engine.BlockSize) is { } other)
            r.Report.Error(
                other.At, DiagnosticCodes.OutOfRange,
                $"{other.Hardware} has blocks of {other.Engine.BlockSize} tokens, {groups[0].Hardware} of {groups[0].Engine.BlockSize}",
                "give all hardware of a fleet the same blockSize");
    }
}
