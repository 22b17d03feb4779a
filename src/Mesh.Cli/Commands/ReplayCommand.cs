using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Cli.Replay;
using Mesh.Resources.Effective;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Commands;

/// <summary>
/// <c>mesh replay</c>: a trace through a virtual fleet, once per router and load, or once per side of a policy change. Exit code 0, or 1 with
/// a message when an input is wrong.
/// </summary>
internal sealed class ReplayCommand(ToolConsole console)
{
    private const string SaturationRouter = "least-request";

    // Of a trace of so many requests, a part says where its saturation is to be looked for.
    private const long LongTrace = 10_000;
    private const double RoughShare = 0.2;

    private readonly TraceOptions _trace = new();
    private readonly WorldOptionSet _world = new();
    private readonly SloOptions _slo = new();
    private readonly Option<string[]> _profiles = new("--profile") { Description = $"Routers, separated by commas: {string.Join(", ", RouterCatalog.Names)}. With a fleet, mesh is what the manifests say.", DefaultValueFactory = _ => ["mesh"] };
    private readonly Option<string[]> _loads = new("--load") { Description = "Shares of the highest rate that least-request serves with a stable queue, separated by commas, instead of --rate." };
    private readonly Option<double?> _saturation = new("--saturation") { Description = "The rate that --load counts from, when it is known: saves the search." };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
    private readonly Option<string[]> _diff = new("--diff") { Description = "Two directories of manifests: what would the second do other than the first? Needs --fleet.", HelpName = "OLD NEW", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true };
    private readonly Option<bool> _exitCode = new("--exit-code") { Description = "With --diff: exit with 1 when a figure differs, and with 2 instead of 1 when there is no answer." };
    private readonly Option<string?> _plot = new("--plot") { Description = "Write a page with the TTFT distribution, load per endpoint over time and flows between regions.", HelpName = "FILE" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "How to write the answer; table is another word for text.", HelpName = "text|json", DefaultValueFactory = _ => "text" };

    /// <summary>The command with its options.</summary>
    /// <remarks>Options belong to one command line: two that are read at the same time do not share them.</remarks>
    public static Command Create(ToolConsole console) => new ReplayCommand(console).Build();

    private Command Build()
    {
        _profiles.AllowMultipleArgumentsPerToken = _loads.AllowMultipleArgumentsPerToken = true;
        _output.AcceptOnlyFromAmong("text", "table", "json");
        var command = new Command("replay", "Play a trace through a simulated fleet in virtual time.");
        _trace.AddTo(command);
        _world.AddTo(command);
        _slo.AddTo(command);
        foreach (var option in (Option[])[_profiles, _loads, _saturation, _seed, _diff, _exitCode, _plot, _output]) command.Add(option);
        command.SetAction((arguments, cancellationToken) => Task.Run(() => Run(arguments, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var failed = arguments.GetValue(_exitCode) ? ExitCodes.Usage : ExitCodes.Failed;
        try
        {
            var isDiff = arguments.GetResult(_diff) is { Implicit: false };
            return (isDiff ? Compare(arguments, cancellationToken) : Play(arguments, cancellationToken)) ?? failed;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or TraceFormatException)
        {
            console.Problem(e.Message, "mesh replay --help");
            return failed;
        }
        catch (OperationCanceledException)
        {
            console.Problem("interrupted before the end: there is no answer", "a smaller --rows or --minutes takes less time");
            return failed;
        }
    }

    private int? Play(ParseResult arguments, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(_exitCode)) throw new ArgumentException("--exit-code belongs to --diff.");
        var slo = _slo.Read(arguments);
        var routers = Routers(arguments);
        var seed = arguments.GetValue(_seed);
        if (Open(arguments, seed) is not { } world) return null;
        var trace = _trace.Source(arguments, seed);
        List<RunTrack> runs = [];
        ReplayProgress.Show(console, begin =>
        {
            foreach (var (load, rate) in Rates(arguments, world, trace, slo, begin, cancellationToken))
            {
                foreach (var router in routers) runs.Add(PlayOnce(world, trace, new ReplayRun(router, load, slo), rate, begin, cancellationToken));
            }
        });
        WritePlot(arguments, runs);
        var figures = runs.ConvertAll(r => r.Figures);
        if (arguments.GetValue(_output) == "json") JsonText.Write(console, figures);
        else ReplayText.Write(console, figures);
        return ExitCodes.Done;
    }

    private int? Compare(ParseResult arguments, CancellationToken cancellationToken)
    {
        if (_world.Manifests(arguments) is not null) throw new ArgumentException("--diff names both directories of manifests: leave --manifests out.");
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
        ReplayProgress.Show(console, begin =>
        {
            foreach (var (load, rate) in Rates(arguments, before, trace, slo, begin, cancellationToken))
            {
                foreach (var router in routers)
                {
                    var run = new ReplayRun(router, load, slo);
                    runs.Add(PlayOnce(before, trace, run, rate, begin, cancellationToken, "old: "));
                    runs.Add(PlayOnce(after, trace, run, rate, begin, cancellationToken, "new: "));
                    comparisons.Add(new PolicyComparison(runs[^2].Figures, runs[^1].Figures));
                }
            }
        });
        WritePlot(arguments, [.. runs.Select((r, i) => r with { Figures = r.Figures with { Router = $"{r.Figures.Router} {(i % 2 == 0 ? "old" : "new")}" } })]);
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

        return arguments.GetValue(_exitCode) && differs ? ExitCodes.Failed : ExitCodes.Done;
    }

    private IReplayWorld? Open(ParseResult arguments, ulong seed)
    {
        var directory = _world.Manifests(arguments);
        var (fleet, hasErrors) = _world.Fleet(console, arguments, isNeeded: directory is not null);
        if (hasErrors) return null;
        if (fleet is null) return _world.Equal(arguments, seed);
        if (directory is null) return _world.Over(console, arguments, fleet, null, seed);
        return Manifests.Load(console, directory) is { } manifests ? _world.Over(console, arguments, fleet, manifests, seed) : null;
    }

    private RunTrack PlayOnce(
        IReplayWorld world, PlayedTrace trace, ReplayRun run, double rate, Func<string, long, Action<int>> begin, CancellationToken cancellationToken, string side = "")
    {
        var started = TimeProvider.System.GetTimestamp();
        var progress = begin($"{side}{run.Router} at {run.Load}", trace.ExpectedAt(rate));
        var (track, _) = world.Play(run with { OnProgress = progress }, trace.Source.At(rate), cancellationToken);
        // Wall-clock time goes beside the figures, which must be the same for the same seed.
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        if (console.Progress is null) console.Error.WriteLine(ReplayText.Number($"{side}{run.Router} at {run.Load}: {seconds:0.00} s, {track.Figures.Events} events"));
        return track;
    }

    private void WritePlot(ParseResult arguments, List<RunTrack> runs)
    {
        if (arguments.GetValue(_plot) is not { } path) return;
        File.WriteAllText(path, PlotPage.Of(runs, _slo.Read(arguments)));
        console.Error.WriteLine($"wrote {path}");
    }

    private List<string> Routers(ParseResult arguments)
    {
        var routers = Split(arguments.GetValue(_profiles));
        if (routers.Count == 0) throw new ArgumentException("--profile names no router.");
        foreach (var router in routers)
        {
            if (RouterCatalog.Make(router, 0) is not null) continue;
            var nearest = Resources.Reading.NearestName.Of(router, RouterCatalog.Names);
            throw new ArgumentException($"No router is named {router}; there are {string.Join(", ", RouterCatalog.Names)}{(nearest is null ? "" : $"; did you mean {nearest}?")}");
        }

        return routers;
    }

    private List<(string Load, double Rate)> Rates(
        ParseResult arguments, IReplayWorld world, PlayedTrace trace, SloTarget slo, Func<string, long, Action<int>> begin, CancellationToken cancellationToken)
    {
        var loads = Split(arguments.GetValue(_loads));
        var given = _trace.Rate(arguments);
        if (loads.Count == 0)
        {
            var rate = given ?? trace.Source.NativeRate;
            return [(string.Create(CultureInfo.InvariantCulture, $"{rate:0.##}/s"), rate)];
        }

        if (given is not null) throw new ArgumentException("--rate and --load exclude each other.");
        List<double> shares = [];
        foreach (var load in loads)
        {
            if (!double.TryParse(load, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) || !(share > 0 && share <= 100))
                throw new ArgumentException($"--load {load}: a share above 0 is expected, such as 0.95.");
            shares.Add(share);
        }

        var saturation = arguments.GetValue(_saturation) ?? FindSaturation(world, trace, slo, begin, cancellationToken);
        if (console.Progress is null) console.Error.WriteLine(ReplayText.Number($"saturation {saturation:0.000} requests/s"));
        return [.. loads.Zip(shares, (load, share) => (load, share * saturation))];
    }

    private static double FindSaturation(IReplayWorld world, PlayedTrace trace, SloTarget slo, Func<string, long, Action<int>> begin, CancellationToken cancellationToken)
    {
        var isLong = trace.ExpectedAt(trace.Source.NativeRate) > LongTrace;
        return Saturation.Find(trace.Source.NativeRate, rate => GrowthAt(rate, 1), isLong ? rate => GrowthAt(rate, RoughShare) : null);

        double GrowthAt(double rate, double share)
        {
            var rows = trace.ExpectedAt(rate);
            var endMs = share < 1 ? 1000 * share * rows / rate : double.PositiveInfinity;
            var run = new ReplayRun(SaturationRouter, "", slo, begin(ReplayText.Number($"searching saturation at {rate:0.##}/s"), (long)(share * rows)));
            var (_, tracker) = world.Play(run, trace.Source.At(rate).TakeWhile(r => r.ArrivalMs < endMs), cancellationToken);
            return Saturation.Growth(tracker.FirstTokens, tracker.LastArrivalMs);
        }
    }

    private static List<string> Split(string[]? values) =>
        [.. (values ?? []).SelectMany(v => v.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
