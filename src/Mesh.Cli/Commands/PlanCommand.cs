using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Cli.Planning;
using Mesh.Cli.Replay;
using Mesh.Resources;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;
using Spectre.Console;

namespace Mesh.Cli.Commands;

/// <summary>
/// <c>mesh plan</c>: the smallest number of endpoints that serves a trace within an SLO. Exit code 0, 1 when no number up to the limit does
/// or an input is wrong.
/// </summary>
internal sealed class PlanCommand(ToolConsole console)
{
    private const int MostSeeds = 32;
    private const int MostEndpoints = 100_000;

    private readonly TraceOptions _trace = new(warmsUp: true);
    private readonly WorldOptionSet _world = new();
    private readonly SloOptions _slo = new();
    private readonly Option<string> _profile = new("--profile") { Description = $"Router: {string.Join(", ", RouterCatalog.Names)}. With a fleet, mesh is what the manifests say.", DefaultValueFactory = _ => "mesh" };
    private readonly Option<double> _goodput = new("--goodput") { Description = "Share of all requests that must be answered within the SLO.", DefaultValueFactory = _ => 0.95 };
    private readonly Option<int> _max = new("--max") { Description = "Endpoints at most.", DefaultValueFactory = _ => 256 };
    private readonly Option<ulong> _seed = new("--seed") { Description = "First seed of everything random.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _seeds = new("--seeds") { Description = "Seeds that must all reach the share.", DefaultValueFactory = _ => 3 };
    private readonly Option<string> _output = OutputOption.Create();

    /// <summary>The command with its options.</summary>
    public static Command Create(ToolConsole console) => new PlanCommand(console).Build();

    private Command Build()
    {
        var command = new Command("plan", "Find the smallest fleet that serves a trace within an SLO. With --fleet, its groups keep their parts; without, one region of equal endpoints.");
        _trace.AddTo(command);
        _world.AddTo(command);
        _slo.AddTo(command);
        foreach (var option in (Option[])[_profile, _goodput, _max, _seed, _seeds, _output]) command.Add(option);
        command.SetAction((arguments, cancellationToken) => Task.Run(() => Run(arguments, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        try
        {
            return Plan(arguments, cancellationToken);
        }
        catch (Exception e) when (InputProblems.IsInput(e))
        {
            InputProblems.Tell(console, e, "mesh plan");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            console.Problem("interrupted before the end: there is no answer", "a smaller --rows, --minutes or --max takes less time");
            return ExitCodes.Failed;
        }
    }

    private int Plan(ParseResult arguments, CancellationToken cancellationToken)
    {
        var slo = _slo.Read(arguments);
        var router = arguments.GetValue(_profile)!;
        if (router.Contains(',')) throw new ArgumentException($"--profile {router}: a fleet is planned for one router.");
        RouterNames.Check(router);
        var target = arguments.InRange(_goodput, 0.01, 1);
        var most = arguments.InRange(_max, 1, MostEndpoints);
        var first = arguments.GetValue(_seed);
        var seeds = Enumerable.Range(0, arguments.InRange(_seeds, 1, MostSeeds)).Select(i => unchecked(first + (ulong)i)).ToArray();

        var directory = _world.Manifests(arguments);
        var (fleet, hasErrors) = _world.Fleet(console, arguments, isNeeded: directory is not null);
        var manifests = directory is null ? null : Manifests.Load(console, directory);
        if (hasErrors || (directory is not null && manifests is null)) return ExitCodes.Failed;
        if (WorldOf(arguments, fleet, manifests, first, fleet?.Endpoints ?? 1) is null) return ExitCodes.Failed;
        var traces = seeds.ToDictionary(s => s, s => _trace.Source(arguments, s));
        var rate = _trace.Rate(arguments) ?? traces[first].Source.NativeRate;

        SearchResult? result = null;
        var offered = 0.0;
        RunFigures? last = null;
        ReplayProgress.Show(console, begin =>
        {
            double Play(int endpoints, ulong seed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var world = WorldOf(arguments, fleet, manifests, seed, endpoints)!;
                var trace = traces[seed];
                var title = ReplayText.Number($"{Findings.Count(endpoints, "endpoint")}, seed {seed}");
                var progress = begin(title, trace.ExpectedAt(rate));
                var figures = world.Play(new ReplayRun(router, "", slo, progress) { WarmUp = trace.WarmUp }, trace.Source.At(rate), cancellationToken).Track.Figures;
                if (figures.Requests == 0) throw new ArgumentException($"No request came after the warm-up of {trace.WarmUp.TotalSeconds:0} s: a smaller --warm-up or a longer trace is needed.");
                if (seed == first) offered = figures.OfferedPerSecond;
                if (endpoints == most) last = figures;
                if (console.Progress is null) console.Error.WriteLine(ReplayText.Number($"{title}: {figures.GoodputShare * 100:0.0}% within the SLO"));
                return figures.GoodputShare;
            }

            result = new FleetSearch(Play, target, most, [.. seeds]).Find();
        });
        if (result is null) throw new OperationCanceledException();
        if (traces[first].Shortfall(rate, offered) is { } warning) console.Warning(warning);
        if (OutputOption.Read(arguments, _output) == OutputFormat.Json)
            JsonText.Write(console, new Answer(router, rate, offered, traces[first].WarmUp.TotalSeconds, slo.TtftMs, slo.TpotMs, target, seeds, result.Endpoints, result.At, result.OneLess, result.Tried, Groups(fleet, result.Endpoints), result.Endpoints is { } found ? fleet?.WithEndpoints(found).CostPerHour : null));
        else
            Write(router, rate, slo, target, seeds.Length, fleet, result, last);
        return result.Endpoints is null ? ExitCodes.Failed : ExitCodes.Done;
    }

    private IReplayWorld? WorldOf(ParseResult arguments, FleetDescription? fleet, LoadResult? manifests, ulong seed, int endpoints) =>
        fleet is null ? _world.Equal(arguments, seed, endpoints) : _world.Over(console, arguments, fleet.WithEndpoints(endpoints), manifests, seed);

    private void Write(string router, double rate, SloTarget slo, double target, int seeds, FleetDescription? fleet, SearchResult result, RunFigures? atMost)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var head in (string[])["endpoints", "within SLO, worst seed", "margin", "each seed"]) table.AddColumn(new TableColumn(new Text(head, Palette.Heading)) { NoWrap = true, Alignment = Justify.Right });
        foreach (var point in result.Tried)
            table.AddRow(
                new Text(ReplayText.Number($"{point.Endpoints}")), new Text(ReplayText.Number($"{point.Worst * 100:0.0}%")), new Text(Margin(point)),
                new Text(string.Join(" ", point.GoodputShares.Select(s => ReplayText.Number($"{s * 100:0.0}%")))));
        console.WriteTable(table);
        var what = ReplayText.Number($"{target * 100:0.##}% of the requests at {rate:0.##}/s within TTFT {slo.TtftMs:0} ms and TPOT {slo.TpotMs:0.#} ms by {router}, with {Findings.Count(seeds, "seed")}");
        if (result.Endpoints is not { } endpoints)
        {
            console.Problem(
                ReplayText.Number($"no fleet of up to {Findings.Count(result.At.Endpoints, "endpoint")} serves {what}: {result.At.Endpoints} reach {result.At.Worst * 100:0.0}%{Medians(atMost)}"),
                "raise --max, lower --rate or --goodput, or give the SLO more time");
            return;
        }

        console.WriteLine($"{Findings.Count(endpoints, "endpoint")} {(endpoints == 1 ? "serves" : "serve")} {what}.", Palette.Heading);
        console.WriteLine($"  {endpoints.ToString(CultureInfo.InvariantCulture)}: {Margin(result.At)} of margin with the worst seed");
        if (result.OneLess is { } less) console.WriteLine($"  {less.Endpoints.ToString(CultureInfo.InvariantCulture)}: {Margin(less)}, not enough");
        if (fleet?.WithEndpoints(endpoints).CostPerHour is { } cost) console.WriteLine(ReplayText.Number($"  cost: {cost:0.00} an hour"));
        foreach (var group in Groups(fleet, endpoints)) console.WriteLine(ReplayText.Number($"  {group.Cluster}: {group.Endpoints} {group.Hardware}"));
    }

    // Whether the SLO is out of reach, or the fleet too small, is seen from these.
    private static string Medians(RunFigures? run) =>
        run is null || run.Requests == run.Refused ? "" : ReplayText.Number($", with medians of TTFT {run.TtftMs.P50:0.#} ms and TPOT {run.TpotMs.P50:0.#} ms");

    private static string Margin(SearchPoint point) => ReplayText.Number($"{point.Margin * 100:+0.0;−0.0} points");

    private static List<GroupCount> Groups(FleetDescription? fleet, int? endpoints) => fleet is null || endpoints is null
        ? []
        : [.. fleet.WithEndpoints(endpoints.Value).Clusters.SelectMany(c => c.Groups.Select(g => new GroupCount(c.Name.Value, g.Hardware, g.Count)))];

    /// <summary>Endpoints of one group of the fleet found.</summary>
    private sealed record GroupCount(string Cluster, string Hardware, int Endpoints);

    /// <summary>The answer in JSON.</summary>
    private sealed record Answer(
        string Router, double RequestsPerSecond, double OfferedPerSecond, double WarmUpSeconds, double SloTtftMs, double SloTpotMs, double Target, IReadOnlyList<ulong> Seeds, int? Endpoints,
        SearchPoint At, SearchPoint? OneLess, IReadOnlyList<SearchPoint> Tried, IReadOnlyList<GroupCount> Groups, double? CostPerHour);
}
