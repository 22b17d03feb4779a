using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Core.Config;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Cli.Replay;

/// <summary>Options that say what a trace is played on: a described fleet, with or without manifests, or equal endpoints.</summary>
/// <param name="severalFleets">Whether several fleets can be compared.</param>
internal sealed class WorldOptionSet(bool severalFleets = false)
{
    private const int MostEndpoints = 1_000_000;

    private readonly Option<string?> _manifests = new("--manifests") { Description = "Directory of manifests whose policies hold; needs --fleet.", HelpName = "DIR" };
    private readonly Option<string?> _pool = new("--pool") { Description = "Pool of the manifests, as NAME or NAMESPACE/NAME, where there are several.", HelpName = "POOL" };
    private readonly Option<string[]> _fleet = new("--fleet")
    {
        Description = "YAML file with a SimulatedFleet: regions, round trips, clusters, endpoints, hardware." + (severalFleets ? " Given again, the same is played on another fleet, for comparison." : ""),
        HelpName = "FILE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<int> _endpoints = new("--endpoints") { Description = "Without --fleet: endpoints per region.", DefaultValueFactory = _ => 8 };
    private readonly Option<int> _regions = new("--regions") { Description = "Without --fleet: regions, each by itself; requests are spread by session.", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _latencyMs = new("--latency-ms") { Description = "Without --fleet: gateway to endpoint, one way.", DefaultValueFactory = _ => 0.5 };
    private readonly Option<int> _blockSize = new("--block-size") { Description = "Without --fleet: tokens of an engine's KV block.", DefaultValueFactory = _ => 16 };
    private readonly Option<int> _numGpuBlocks = new("--num-gpu-blocks") { Description = "Without --fleet: blocks of KV cache per engine.", DefaultValueFactory = _ => 27_000 };

    private readonly Option<string?> _hardware = new("--hardware")
    {
        Description = "Without --fleet: kinds of endpoints, dealt out in turn: times as long as the measured accelerator's for prompts, then for decode steps, then KV blocks, and how many in a turn.",
        HelpName = "1=3,2.5/1.8/12000=1",
    };

    private readonly HashSet<Diagnostic> _told = [];

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_manifests, _pool, _fleet, _endpoints, _regions, _latencyMs, _blockSize, _numGpuBlocks, _hardware]) command.Add(option);
    }

    /// <summary>Directory of manifests; null without.</summary>
    public string? Manifests(ParseResult arguments) => arguments.GetValue(_manifests);

    /// <summary>The described fleet; null without, or with errors, which have then been told of.</summary>
    /// <exception cref="ArgumentException">Manifests without a fleet, or several fleets.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public (FleetDescription? Fleet, bool HasErrors) Fleet(ToolConsole console, ParseResult arguments, bool isNeeded)
    {
        var (fleets, hasErrors) = Fleets(console, arguments, isNeeded);
        if (fleets.Count > 1) throw new ArgumentException("--fleet: one file is expected here.");
        return (fleets.Count == 0 ? null : fleets[0], hasErrors);
    }

    /// <summary>Every described fleet; none without, or with errors, which have then been told of.</summary>
    /// <exception cref="ArgumentException">Manifests without a fleet, or the same file twice.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public (IReadOnlyList<FleetDescription> Fleets, bool HasErrors) Fleets(ToolConsole console, ParseResult arguments, bool isNeeded)
    {
        if (Manifests(arguments) is null && !isNeeded) arguments.Refuse("without --manifests", _pool);
        if (arguments.GetValue(_fleet) is not { Length: > 0 } paths)
        {
            if (isNeeded) throw new ArgumentException("Policies need a fleet to act on: --fleet FILE says how many endpoints stand where.");
            return ([], false);
        }

        arguments.Refuse("with --fleet, which describes its endpoints itself", _endpoints, _regions, _latencyMs, _blockSize, _numGpuBlocks, _hardware);
        if (paths.Distinct(StringComparer.Ordinal).Count() < paths.Length) throw new ArgumentException("--fleet names a file twice.");
        List<FleetDescription> fleets = [];
        var hasErrors = false;
        foreach (var path in paths)
        {
            InputProblems.CheckReadable(_fleet.Name, path);
            var report = new DiagnosticBag();
            var fleet = FleetFile.Read(path, report);
            hasErrors |= Tell(console, path, report);
            if (fleet is not null) fleets.Add(fleet with { Path = path });
        }

        return (hasErrors ? [] : fleets, hasErrors);
    }

    /// <summary>A world of a described fleet; null with errors, which have then been told of.</summary>
    /// <exception cref="ArgumentException">The pool cannot be told.</exception>
    public IReplayWorld? Over(ToolConsole console, ParseResult arguments, FleetDescription fleet, LoadResult? manifests, ulong seed)
    {
        var report = new DiagnosticBag();
        var pool = manifests is null ? null : FindPool(manifests.Config!, arguments.GetValue(_pool));
        var built = new FleetBuilder(report).Build(fleet, manifests?.Config, pool);
        if (Tell(console, fleet.Path, report)) return null;
        return new PolicyFleet(built!.Value.Fleet, built.Value.Pool, seed);
    }

    /// <summary>A world of equal endpoints.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="seed">Decides everything random.</param>
    /// <param name="endpoints">Endpoints in all instead of those that the options name.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public IReplayWorld Equal(ParseResult arguments, ulong seed, int? endpoints = null)
    {
        if (endpoints is not null) arguments.Refuse("here: the number of endpoints of one region is what is looked for", _endpoints, _regions);
        var blockSize = arguments.InRange(_blockSize, 1, 512);
        if (512 % blockSize != 0) throw new ArgumentException($"{_blockSize.Name} {blockSize}: a divisor of 512 is expected, such as 16.");
        var engine = (new WorldOptions().Engine with { BlockSize = blockSize, NumGpuBlocks = arguments.InRange(_numGpuBlocks, 16, 1 << 26) }).WithRoomForOne();
        var regions = endpoints is null ? arguments.InRange(_regions, 1, 1000) : 1;
        var options = new WorldOptions
        {
            Regions = regions,
            EndpointsPerRegion = endpoints ?? arguments.InRange(_endpoints, 1, MostEndpoints / regions),
            Seed = seed,
            LatencyMs = arguments.InRange(_latencyMs, 0, 10_000),
            Engine = engine,
            Hardware = Hardware(arguments.GetValue(_hardware), engine),
        };
        options.Validate();
        return new EqualEndpoints(options);
    }

    private static IReadOnlyList<HardwareProfile> Hardware(string? text, VllmModelOptions engine)
    {
        try
        {
            return text is null ? [] : HardwareProfile.ParseFleet(text, engine);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"--hardware: {e.Message}", e);
        }
    }

    private static PoolConfig FindPool(MeshConfig config, string? name)
    {
        var names = config.Pools.Select(p => p.Id.ToString()).ToList();
        if (names.Count == 0) throw new ArgumentException("The manifests have no pool to replay.");
        if (name is null)
            return names.Count == 1 ? config.Pools[0] : throw new ArgumentException($"The manifests have several pools: choose one with --pool, of {string.Join(", ", names)}.");
        var found = config.Pools.Where(p => p.Id.ToString() == name || p.Id.Name == name).ToList();
        if (found.Count == 1) return found[0];
        var nearest = NearestName.Of(name, names.Concat(config.Pools.Select(p => p.Id.Name)));
        throw new ArgumentException(found.Count > 1
            ? $"--pool {name} is in several namespaces: write one of {string.Join(", ", found.Select(p => p.Id))}."
            : $"The manifests have no pool {name}{(nearest is null ? $"; they have {string.Join(", ", names)}" : $"; did you mean {nearest}?")}");
    }

    private bool Tell(ToolConsole console, string path, DiagnosticBag report)
    {
        // A search builds many worlds: what is told once is known.
        var findings = report.Sorted();
        Findings.Write(console.ForProblems(), "", findings.Where(_told.Add));
        if (report.HasErrors) console.Problem($"{path} has {Findings.Count(findings.Count(f => f.Severity == Severity.Error), "error")}", "correct what is listed");
        return report.HasErrors;
    }
}
