using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Cli.Replay;
using Mesh.Resources.Effective;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Fleets;

namespace Mesh.Cli.Commands;

/// <summary>
/// <c>mesh replay</c>: a trace through a virtual fleet, once per router and load, or once per side of a policy change. Exit code 0, or 1 with
/// a message when an input is wrong or not every run has ended.
/// </summary>
internal sealed class ReplayCommand(ToolConsole console)
{
    private readonly TraceOptions _trace = new();
    private readonly WorldOptionSet _world = new(severalFleets: true);
    private readonly SloOptions _slo = new();
    private readonly Option<string[]> _profiles = new("--profile") { Description = $"Routers, separated by commas: {string.Join(", ", RouterCatalog.Names)}. With a fleet, mesh is what the manifests say.", DefaultValueFactory = _ => ["mesh"], AllowMultipleArgumentsPerToken = true };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _seeds = new("--seeds") { Description = "So many seeds, from --seed on: the table then has means, and below it how far they are to be trusted.", DefaultValueFactory = _ => 1 };
    private readonly Option<string[]> _diff = new("--diff") { Description = "Two directories of manifests: what would the second do other than the first? Needs --fleet.", HelpName = "OLD NEW", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true };
    private readonly Option<bool> _exitCode = new("--exit-code") { Description = "With --diff: exit with 1 when a figure differs, and with 2 instead of 1 when there is no answer." };
    private readonly Option<string?> _plot = new("--plot") { Description = "Write a page with the TTFT distribution, load per endpoint over time and flows between regions.", HelpName = "FILE" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "How to write the answer; table is another word for text.", HelpName = "text|json|csv", DefaultValueFactory = _ => "text" };
    private ReplayRates? _rates;

    /// <summary>The command with its options.</summary>
    /// <remarks>Options belong to one command line: two that are read at the same time do not share them.</remarks>
    public static Command Create(ToolConsole console) => new ReplayCommand(console).Build();

    private Command Build()
    {
        _output.AcceptOnlyFromAmong("text", "table", "json", "csv");
        _rates = new ReplayRates(_trace);
        var command = new Command("replay", "Play a trace through a simulated fleet in virtual time.");
        _trace.AddTo(command);
        _world.AddTo(command);
        _slo.AddTo(command);
        _rates.AddTo(command);
        foreach (var option in (Option[])[_profiles, _seed, _seeds, _diff, _exitCode, _plot, _output]) command.Add(option);
        command.SetAction((arguments, cancellationToken) => Task.Run(() => Run(arguments, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var failed = arguments.GetValue(_exitCode) ? ExitCodes.Usage : ExitCodes.Failed;
        try
        {
            // Hours of work do not end at a path that could have been looked at before.
            if (arguments.GetValue(_plot) is { } path) InputProblems.CheckWritable(_plot.Name, path);
            return (arguments.IsGiven(_diff) ? Compare(arguments, cancellationToken) : Play(arguments, cancellationToken)) ?? failed;
        }
        catch (Exception e) when (InputProblems.IsInput(e))
        {
            InputProblems.Tell(console, e, "mesh replay");
            return failed;
        }
        catch (OperationCanceledException)
        {
            console.Problem("interrupted before the first run had ended: there is no answer", "a smaller --rows or --minutes takes less time");
            return failed;
        }
    }

    private int? Play(ParseResult arguments, CancellationToken cancellationToken)
    {
        arguments.Refuse("without --diff", _exitCode);
        var slo = _slo.Read(arguments);
        var routers = Routers(arguments);
        var seed = arguments.GetValue(_seed);
        if (Open(arguments, seed) is not { } worlds) return null;
        if (worlds.Count > 1 && _rates!.SearchesSaturation(arguments))
            throw new ArgumentException("--load with several fleets needs --saturation: each fleet would be played at another rate.");
        ulong[] seeds = [.. Enumerable.Range(0, arguments.InRange(_seeds, 1, SeedSummary.MostSeeds)).Select(i => unchecked(seed + (ulong)i))];
        PlayedTrace[] traces = [.. seeds.Select(s => _trace.Source(arguments, s))];
        var trace = traces[0];
        List<RunTrack> runs = [];
        // Kept until the end: a line amid a bar of progress garbles both.
        List<string> warnings = [];
        var wanted = 0;
        var isWhole = ReplayProgress.Show(console, begin =>
        {
            var rates = _rates!.Of(arguments, worlds[0].World, trace, slo, begin, console, cancellationToken);
            wanted = rates.Count * worlds.Count * routers.Count * seeds.Length;
            foreach (var (load, rate) in rates)
            {
                foreach (var (router, fleet, world) in routers.SelectMany(router => worlds.Select(w => (router, w.Fleet, w.World))))
                {
                    for (var i = 0; i < seeds.Length; i++)
                    {
                        var run = new ReplayRun(router, load, slo) { WarmUp = trace.WarmUp };
                        var side = (fleet is null ? "" : $"{fleet}: ") + (seeds.Length > 1 ? ReplayText.Number($"seed {seeds[i]}: ") : "");
                        var track = PlayOnce(world.WithSeed(seeds[i]), traces[i], run, rate, begin, cancellationToken, side);
                        runs.Add(track with { Figures = track.Figures with { Fleet = fleet, Seed = seeds[i] } });
                    }
                }

                if (trace.Shortfall(rate, runs[^1].Figures.OfferedPerSecond) is { } warning) warnings.Add(warning);
            }
        });
        if (runs.Count == 0) throw new OperationCanceledException();
        foreach (var warning in warnings) console.Warning(warning);
        var figures = runs.ConvertAll(r => r.Figures);
        switch (arguments.GetValue(_output))
        {
            case "json":
                JsonText.Write(console, figures);
                break;
            case "csv":
                ReplayCsv.Write(console, figures);
                break;
            default:
                WriteText(figures, seeds.Length);
                break;
        }

        // One picture of each run is enough: those of other seeds look alike.
        WritePlot(arguments, runs.FindAll(r => r.Figures.Seed == seed));
        if (isWhole) return ExitCodes.Done;
        Interrupted(runs.Count, wanted);
        return null;
    }

    private void WriteText(List<RunFigures> figures, int seeds)
    {
        if (seeds == 1)
        {
            ReplayText.Write(console, figures);
            return;
        }

        // An interrupted command may have a run whose seeds are not all there.
        List<SeedSummary> summaries = [.. figures.Chunk(seeds).Where(c => c.Length > 1).Select(c => new SeedSummary(c))];
        ReplayText.Write(console, summaries.Count == 0 ? figures : summaries.ConvertAll(s => s.Means));
        foreach (var summary in summaries) console.WriteLine(summary.Line());
    }

    private int? Compare(ParseResult arguments, CancellationToken cancellationToken)
    {
        if (_world.Manifests(arguments) is not null) throw new ArgumentException("--diff names both directories of manifests: leave --manifests out.");
        arguments.Refuse("with --diff", _seeds);
        if (arguments.GetValue(_output) == "csv") throw new ArgumentException("-o csv is not there for --diff: take json.");
        var slo = _slo.Read(arguments);
        var routers = Routers(arguments);
        var directories = arguments.GetValue(_diff)!;
        var seed = arguments.GetValue(_seed);
        var (fleet, _) = _world.Fleet(console, arguments, isNeeded: true);
        var old = Manifests.Load(console, directories[0]);
        var now = Manifests.Load(console, directories[1]);
        if (fleet is null || old is null || now is null) return null;
        var before = _world.Over(console, arguments, fleet, old, seed);
        var after = _world.Over(console, arguments, fleet, now, seed);
        if (before is null || after is null) return null;
        var trace = _trace.Source(arguments, seed);
        List<PolicyComparison> comparisons = [];
        List<RunTrack> runs = [];
        // Kept until the end: a line amid a bar of progress garbles both.
        List<string> warnings = [];
        var wanted = 0;
        var isWhole = ReplayProgress.Show(console, begin =>
        {
            var rates = _rates!.Of(arguments, before, trace, slo, begin, console, cancellationToken);
            wanted = rates.Count * routers.Count;
            foreach (var (load, rate) in rates)
            {
                foreach (var router in routers)
                {
                    var run = new ReplayRun(router, load, slo) { WarmUp = trace.WarmUp };
                    var first = PlayOnce(before, trace, run, rate, begin, cancellationToken, "old: ");
                    var second = PlayOnce(after, trace, run, rate, begin, cancellationToken, "new: ");
                    runs.AddRange([first, second]);
                    comparisons.Add(new PolicyComparison(first.Figures, second.Figures));
                }

                if (trace.Shortfall(rate, runs[^1].Figures.OfferedPerSecond) is { } warning) warnings.Add(warning);
            }
        });
        if (runs.Count == 0) throw new OperationCanceledException();
        foreach (var warning in warnings) console.Warning(warning);
        var changes = ConfigDiff.Compare(old, now);
        var differs = comparisons.Exists(c => c.Differs);
        if (arguments.GetValue(_output) == "json")
        {
            JsonText.Write(console, new ComparisonAnswer(directories[0], directories[1], differs, changes, comparisons.ConvertAll(c => c.ToJson())));
        }
        else
        {
            ChangeText.Write(console, changes);
            console.WriteLine(changes.IsEmpty ? "Nothing changes in effect." : $"{Findings.Count(changes.Length, "change")} in effect.");
            foreach (var comparison in comparisons) comparison.Write(console);
            if (!differs) console.WriteLine("No figure differs.");
        }

        WritePlot(arguments, [.. runs.Select((r, i) => r with { Figures = r.Figures with { Router = $"{r.Figures.Router} {(i % 2 == 0 ? "old" : "new")}" } })]);
        if (!isWhole)
        {
            Interrupted(comparisons.Count, wanted);
            return null;
        }

        return arguments.GetValue(_exitCode) && differs ? ExitCodes.Failed : ExitCodes.Done;
    }

    // What is played on; fleets have names where there are several.
    private List<(string? Fleet, IReplayWorld World)>? Open(ParseResult arguments, ulong seed)
    {
        var directory = _world.Manifests(arguments);
        var (fleets, hasErrors) = _world.Fleets(console, arguments, isNeeded: directory is not null);
        if (hasErrors) return null;
        if (fleets.Count == 0) return [(null, _world.Equal(arguments, seed))];
        var manifests = directory is null ? null : Manifests.Load(console, directory);
        if (directory is not null && manifests is null) return null;
        List<(string? Fleet, IReplayWorld World)> worlds = [];
        foreach (var fleet in fleets)
        {
            if (_world.Over(console, arguments, fleet, manifests, seed) is not { } world) return null;
            worlds.Add((fleets.Count > 1 ? fleet.Path : null, world));
        }

        return worlds;
    }

    private RunTrack PlayOnce(
        IReplayWorld world, PlayedTrace trace, ReplayRun run, double rate, Func<string, long, Action<int>> begin, CancellationToken cancellationToken, string side = "")
    {
        // A run looks every few thousand events: short ones might all go on.
        cancellationToken.ThrowIfCancellationRequested();
        var started = TimeProvider.System.GetTimestamp();
        var progress = begin($"{side}{run.Router} at {run.Load}", trace.ExpectedAt(rate));
        var (track, _) = world.Play(run with { OnProgress = progress }, trace.Source.At(rate), cancellationToken);
        if (track.Figures.Requests == 0) throw new ArgumentException($"No request came after the warm-up of {trace.WarmUp.TotalSeconds:0} s: a smaller --warm-up or a longer trace is needed.");
        // Wall-clock time goes beside the figures, which must be the same for the same seed.
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        if (console.Progress is null) console.Error.WriteLine(ReplayText.Number($"{side}{run.Router} at {run.Load}: {seconds:0.00} s, {track.Figures.Events} events"));
        return track;
    }

    private void Interrupted(int ended, int wanted) =>
        console.Problem(ReplayText.Number($"interrupted: {ended} of {Findings.Count(wanted, "run")} had ended, and the answer is theirs"), "a smaller --rows or --minutes takes less time");

    private void WritePlot(ParseResult arguments, List<RunTrack> runs)
    {
        if (arguments.GetValue(_plot) is not { } path) return;
        File.WriteAllText(path, PlotPage.Of(runs, _slo.Read(arguments), _trace.Title(arguments, arguments.GetValue(_seed))));
        console.Error.WriteLine($"wrote {path}");
    }

    private List<string> Routers(ParseResult arguments)
    {
        _rates!.Shares(arguments);
        var routers = Words.Split(arguments.GetValue(_profiles)).ConvertAll(RouterNames.Check);
        return routers.Count > 0 ? routers : throw new ArgumentException("--profile names no router.");
    }
}
