using System.CommandLine;
using System.Globalization;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Commands;

/// <summary><c>replay</c>: a trace through a virtual fleet, once per router and load. Exit code 0, or 1 with a message when an input is wrong.</summary>
internal static class ReplayCommand
{
    private const string Sessions = "sessions";

    private static readonly SessionOptions Generated = new();

    private static readonly Option<string> Trace = new("--trace") { Description = "Mooncake JSONL or Azure CSV file, or 'sessions' for generated chats.", Required = true };
    private static readonly Option<string[]> Profiles = new("--profile") { Description = $"Routers, separated by commas: {string.Join(", ", RouterCatalog.Names)}.", DefaultValueFactory = _ => ["mesh"] };
    private static readonly Option<string[]> Loads = new("--load") { Description = "Shares of the highest rate that least-request serves with a stable queue, separated by commas." };
    private static readonly Option<double?> Rate = new("--rate") { Description = "Requests per second, instead of --load. Neither: as fast as the trace was recorded." };
    private static readonly Option<double?> SaturationRate = new("--saturation") { Description = "The rate that --load counts from, when it is known: saves the search." };
    private static readonly Option<int> Endpoints = new("--endpoints") { Description = "Endpoints per region.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Regions = new("--regions") { Description = "Regions; requests are spread by session.", DefaultValueFactory = _ => 1 };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Skip = new("--skip") { Description = "Rows to leave out at the beginning." };
    private static readonly Option<int> Rows = new("--rows") { Description = "Rows at most.", DefaultValueFactory = _ => int.MaxValue };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "Generated: length of the trace.", DefaultValueFactory = _ => Generated.Duration.TotalMinutes };
    private static readonly Option<int> SystemPrompts = new("--system-prompts") { Description = "Generated: different system prompts.", DefaultValueFactory = _ => Generated.SystemPrompts };
    private static readonly Option<int> SystemPromptTokens = new("--system-prompt-tokens") { Description = "Generated: tokens of each, in blocks of 512.", DefaultValueFactory = _ => Generated.SystemPromptTokens };
    private static readonly Option<double> Turns = new("--turns") { Description = "Generated: mean turns of a session.", DefaultValueFactory = _ => Generated.MeanTurns };
    private static readonly Option<double> ThinkSeconds = new("--think-s") { Description = "Generated: mean seconds between turns.", DefaultValueFactory = _ => Generated.MeanThinkTime.TotalSeconds };
    private static readonly Option<double> InputTokens = new("--input-tokens") { Description = "Generated: mean tokens that a turn adds.", DefaultValueFactory = _ => Generated.MeanInputTokens };
    private static readonly Option<double> OutputTokens = new("--output-tokens") { Description = "Generated: mean tokens of an answer.", DefaultValueFactory = _ => Generated.MeanOutputTokens };
    private static readonly Option<double> Burstiness = new("--burstiness") { Description = "Generated: 1 is Poisson; up to 2, which begins sessions in half of each minute only.", DefaultValueFactory = _ => Generated.Burstiness };
    private static readonly Option<double> LatencyMs = new("--latency-ms") { Description = "Gateway to endpoint, one way.", DefaultValueFactory = _ => 0.5 };
    private static readonly Option<int> BlockSize = new("--block-size") { Description = "Tokens of an engine's KV block.", DefaultValueFactory = _ => 16 };
    private static readonly Option<int> NumGpuBlocks = new("--num-gpu-blocks") { Description = "Blocks of KV cache per engine.", DefaultValueFactory = _ => 27_000 };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "table or json.", DefaultValueFactory = _ => "table" };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Profiles.AllowMultipleArgumentsPerToken = Loads.AllowMultipleArgumentsPerToken = true;
        Output.AcceptOnlyFromAmong("table", "json");
        var command = new Command("replay", "Play a trace through a simulated fleet in virtual time.")
        {
            Trace, Profiles, Loads, Rate, SaturationRate, Endpoints, Regions, Seed, Skip, Rows, LatencyMs, BlockSize, NumGpuBlocks, Output,
            Minutes, SystemPrompts, SystemPromptTokens, Turns, ThinkSeconds, InputTokens, OutputTokens, Burstiness,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        try
        {
            Play(arguments);
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or TraceFormatException)
        {
            arguments.InvocationConfiguration.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static void Play(ParseResult arguments)
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

    private static ITraceSource Source(ParseResult arguments, ulong seed)
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

    private static List<(string Load, double Rate)> Rates(ParseResult arguments, WorldOptions options, ITraceSource trace)
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
