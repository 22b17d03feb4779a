using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh replay</c>: a trace through a virtual fleet, once per router and load. Exit code 0, or 1 with a message when an input is wrong.</summary>
internal sealed class ReplayCommand(ToolConsole console)
{
    private const string Sessions = "sessions";

    private static readonly SessionOptions Generated = new();

    private readonly Option<string> Trace = new("--trace") { Description = "Mooncake JSONL or Azure CSV file, or 'sessions' for generated chats.", Required = true };
    private readonly Option<string[]> Profiles = new("--profile") { Description = $"Routers, separated by commas: {string.Join(", ", RouterCatalog.Names)}.", DefaultValueFactory = _ => ["mesh"] };
    private readonly Option<string[]> Loads = new("--load") { Description = "Shares of the highest rate that least-request serves with a stable queue, separated by commas." };
    private readonly Option<double?> Rate = new("--rate") { Description = "Requests per second, instead of --load. Neither: as fast as the trace was recorded." };
    private readonly Option<double?> SaturationRate = new("--saturation") { Description = "The rate that --load counts from, when it is known: saves the search." };
    private readonly Option<int> Endpoints = new("--endpoints") { Description = "Endpoints per region.", DefaultValueFactory = _ => 8 };
    private readonly Option<int> Regions = new("--regions") { Description = "Regions; requests are spread by session.", DefaultValueFactory = _ => 1 };
    private readonly Option<ulong> Seed = new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> Skip = new("--skip") { Description = "Rows to leave out at the beginning." };
    private readonly Option<int> Rows = new("--rows") { Description = "Rows at most.", DefaultValueFactory = _ => int.MaxValue };
    private readonly Option<double> Minutes = new("--minutes") { Description = "Generated: length of the trace.", DefaultValueFactory = _ => Generated.Duration.TotalMinutes };
    private readonly Option<int> SystemPrompts = new("--system-prompts") { Description = "Generated: different system prompts.", DefaultValueFactory = _ => Generated.SystemPrompts };
    private readonly Option<int> SystemPromptTokens = new("--system-prompt-tokens") { Description = "Generated: tokens of each, in blocks of 512.", DefaultValueFactory = _ => Generated.SystemPromptTokens };
    private readonly Option<double> Turns = new("--turns") { Description = "Generated: mean turns of a session.", DefaultValueFactory = _ => Generated.MeanTurns };
    private readonly Option<double> ThinkSeconds = new("--think-s") { Description = "Generated: mean seconds between turns.", DefaultValueFactory = _ => Generated.MeanThinkTime.TotalSeconds };
    private readonly Option<double> InputTokens = new("--input-tokens") { Description = "Generated: mean tokens that a turn adds.", DefaultValueFactory = _ => Generated.MeanInputTokens };
    private readonly Option<double> OutputTokens = new("--output-tokens") { Description = "Generated: mean tokens of an answer.", DefaultValueFactory = _ => Generated.MeanOutputTokens };
    private readonly Option<double> Burstiness = new("--burstiness") { Description = "Generated: 1 is Poisson; up to 2, which begins sessions in half of each minute only.", DefaultValueFactory = _ => Generated.Burstiness };
    private readonly Option<double> LatencyMs = new("--latency-ms") { Description = "Gateway to endpoint, one way.", DefaultValueFactory = _ => 0.5 };
    private readonly Option<int> BlockSize = new("--block-size") { Description = "Tokens of an engine's KV block.", DefaultValueFactory = _ => 16 };
    private readonly Option<int> NumGpuBlocks = new("--num-gpu-blocks") { Description = "Blocks of KV cache per engine.", DefaultValueFactory = _ => 27_000 };
    private readonly Option<string> Output = new("--output", "-o") { Description = "How to write the answer; table is another word for text.", HelpName = "text|json", DefaultValueFactory = _ => "text" };

    /// <summary>The command with its options.</summary>
    /// <remarks>Options belong to one command line: two that are read at the same time do not share them.</remarks>
    public static Command Create(ToolConsole console) => new ReplayCommand(console).Build();

    private Command Build()
    {
        Profiles.AllowMultipleArgumentsPerToken = Loads.AllowMultipleArgumentsPerToken = true;
        Output.AcceptOnlyFromAmong("text", "table", "json");
        var command = new Command("replay", "Play a trace through a simulated fleet in virtual time.")
        {
            Trace, Profiles, Loads, Rate, SaturationRate, Endpoints, Regions, Seed, Skip, Rows, LatencyMs, BlockSize, NumGpuBlocks, Output,
            Minutes, SystemPrompts, SystemPromptTokens, Turns, ThinkSeconds, InputTokens, OutputTokens, Burstiness,
        };
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult arguments)
    {
        try
        {
            Play(arguments);
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or TraceFormatException)
        {
            console.Problem(e.Message, "mesh replay --help");
            return ExitCodes.Failed;
        }
    }

    private void Play(ParseResult arguments)
    {
        var error = arguments.InvocationConfiguration.Error;
        var options = new WorldOptions
        {
            Regions = arguments.GetValue(Regions),
            EndpointsPerRegion = arguments.GetValue(Endpoints),
            Seed = arguments.GetValue(Seed),
            LatencyMs = arguments.GetValue(LatencyMs),
            Engine = new WorldOptions().Engine with
            {
                BlockSize = arguments.GetValue(BlockSize),
                NumGpuBlocks = arguments.GetValue(NumGpuBlocks),
            },
        };
        options.Validate();
        var routers = Split(arguments.GetValue(Profiles));
        foreach (var router in routers)
        {
            if (RouterCatalog.Make(router, 0) is null) throw new ArgumentException($"No router is named {router}; there are {string.Join(", ", RouterCatalog.Names)}.");
        }

        var trace = Source(arguments, options.Seed);
        List<(string Load, RunReport Report)> runs = [];
        foreach (var (load, rate) in Rates(arguments, options, trace))
        {
            foreach (var router in routers)
            {
                var started = TimeProvider.System.GetTimestamp();
                var report = Replay.Run(options, router, trace.At(rate), new SloTarget(), CancellationToken.None);
                runs.Add((load, report));
                // Wall-clock time goes beside the report, which must be the same for the same seed.
                var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{router} at {load}: {seconds:0.00} s, {report.Events} events"));
            }
        }

        var output = arguments.InvocationConfiguration.Output;
        if (arguments.GetValue(Output) == "json") output.WriteLine(ReportJson.Of(runs));
        else output.Write(ReportTable.Of(runs));
    }

    private ITraceSource Source(ParseResult arguments, ulong seed)
    {
        var file = arguments.GetValue(Trace)!;
        if (file != Sessions) return new RecordedTrace(TraceFile.Read(file, seed, arguments.GetValue(Skip), arguments.GetValue(Rows)));
        return new GeneratedSessions(new SessionOptions
        {
            Seed = seed,
            Duration = TimeSpan.FromMinutes(arguments.GetValue(Minutes)),
            MostRequests = arguments.GetValue(Rows),
            RequestsPerSecond = arguments.GetValue(Rate) ?? new SessionOptions().RequestsPerSecond,
            SystemPrompts = arguments.GetValue(SystemPrompts),
            SystemPromptTokens = arguments.GetValue(SystemPromptTokens),
            MeanTurns = arguments.GetValue(Turns),
            MeanThinkTime = TimeSpan.FromSeconds(arguments.GetValue(ThinkSeconds)),
            MeanInputTokens = arguments.GetValue(InputTokens),
            MeanOutputTokens = arguments.GetValue(OutputTokens),
            Burstiness = arguments.GetValue(Burstiness),
        });
    }

    private List<(string Load, double Rate)> Rates(ParseResult arguments, WorldOptions options, ITraceSource trace)
    {
        var loads = Split(arguments.GetValue(Loads));
        var given = arguments.GetValue(Rate);
        if (loads.Count == 0)
        {
            var rate = given ?? trace.NativeRate;
            if (!(rate > 0)) throw new ArgumentException("--rate must be above 0.");
            return [(string.Create(CultureInfo.InvariantCulture, $"{rate:0.##}/s"), rate)];
        }

        if (given is not null) throw new ArgumentException("--rate and --load exclude each other.");
        var saturation = arguments.GetValue(SaturationRate) ?? Saturation.Find(options, trace, CancellationToken.None);
        arguments.InvocationConfiguration.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"saturation {saturation:0.000} requests/s"));
        List<(string, double)> rates = [];
        foreach (var load in loads)
        {
            if (!double.TryParse(load, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) || !(share > 0 && share <= 100))
                throw new ArgumentException($"--load {load}: a share above 0 is expected, such as 0.95.");
            rates.Add((load, share * saturation));
        }

        return rates;
    }

    private static List<string> Split(string[]? values) =>
        [.. (values ?? []).SelectMany(v => v.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
