using System.CommandLine;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Simulation.Regions;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Commands;

/// <summary><c>regions</c>: plays a trace over three regions, one of them overloaded, under each way of sharing load. Exit code 0, 2 when an invariant is broken, 1 when an input is wrong.</summary>
internal static class RegionsCommand
{
    private const int ExitInput = 1;
    private const int ExitViolation = 2;

    private static readonly string[] Ways = ["alone", "waterfall-1s", "credits", "mesh", "omniscient"];

    private static readonly Option<string?> Trace = new("--trace") { Description = "Trace to play (.jsonl or .csv); generated sessions by default." };
    private static readonly Option<double> Capacity = new("--capacity") { Description = "Requests per second that one region serves at 100%.", DefaultValueFactory = _ => 11 };
    private static readonly Option<double[]> Loads = new("--load") { Description = "Load of each region, in percent of its capacity.", DefaultValueFactory = _ => [160, 40, 40], AllowMultipleArgumentsPerToken = true };
    private static readonly Option<double[]> RoundTrips = new("--rtt") { Description = "Round trips in ms: 0-1, 0-2, 1-2; or one for all.", DefaultValueFactory = _ => [80, 150, 150], AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int> Endpoints = new("--endpoints") { Description = "Endpoints of each region.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Target = new("--target") { Description = "Requests in flight per endpoint that the policies with targets aim at.", DefaultValueFactory = _ => 24 };
    private static readonly Option<int> Seconds = new("--seconds") { Description = "Length of generated sessions, in virtual seconds.", DefaultValueFactory = _ => 240 };
    private static readonly Option<int> Most = new("--most") { Description = "Most rows of a trace.", DefaultValueFactory = _ => int.MaxValue };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "Decides everything random.", DefaultValueFactory = _ => 1UL };
    private static readonly Option<string[]> Policies = new("--policy") { Description = "alone, waterfall-1s, credits, mesh, omniscient; all by default.", AllowMultipleArgumentsPerToken = true };

    private static readonly Option<string?> Rows = new("--requests") { Description = "File to write every request to as a line of CSV: what it waited for, and where." };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("regions", "Play a trace over three regions, one of them overloaded, under each way of sharing load.")
        {
            Trace, Capacity, Loads, RoundTrips, Endpoints, Target, Seconds, Most, Seed, Policies, Rows,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        try
        {
            Check(arguments);
            return Play(arguments);
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or TraceFormatException)
        {
            arguments.InvocationConfiguration.Error.WriteLine(e.Message);
            return ExitInput;
        }
    }

    private static void Check(ParseResult arguments)
    {
        var loads = arguments.GetValue(Loads)!;
        if (loads.Length is < 1 or > 16) throw new ArgumentException("--load names 1–16 regions, such as 160 40 40.");
        foreach (var load in loads) InRange(load, 0, 10_000, Loads);
        if (loads.Sum() == 0) throw new ArgumentException("--load 0 everywhere: one region at least has clients.");
        var pairs = loads.Length * (loads.Length - 1) / 2;
        var times = arguments.GetValue(RoundTrips)!;
        if (arguments.GetResult(RoundTrips) is { Implicit: false } && times.Length != 1 && times.Length != pairs)
            throw new ArgumentException($"--rtt has {times.Length} times; one is expected, or one for each of the {pairs} pairs of {loads.Length} regions: 0-1, 0-2, … 1-2, ….");
        foreach (var time in times) InRange(time, 0, 10_000, RoundTrips);
        InRange(arguments.GetValue(Capacity), 0.001, 1e6, Capacity);
        InRange(arguments.GetValue(Endpoints), 1, 10_000, Endpoints);
        InRange(arguments.GetValue(Target), 1, 100_000, Target);
        InRange(arguments.GetValue(Seconds), 1, 7 * 86_400, Seconds);
        InRange(arguments.GetValue(Most), 2, int.MaxValue, Most);
        foreach (var policy in arguments.GetValue(Policies) ?? [])
        {
            if (!Ways.Contains(policy)) throw new ArgumentException($"--policy {policy}: one of {string.Join(", ", Ways)} is expected.");
        }
    }

    private static void InRange(double value, double least, double most, Option option)
    {
        if (!(value >= least && value <= most)) throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} {value}: {least}–{most} is expected."));
    }

    private static int Play(ParseResult arguments)
    {
        var output = arguments.InvocationConfiguration.Output;
        var loads = arguments.GetValue(Loads)!;
        var isBroken = false;
        var rate = arguments.GetValue(Capacity) * loads.Sum() / 100;
        var seed = arguments.GetValue(Seed);
        ITraceSource source = arguments.GetValue(Trace) is { } path
            ? new RecordedTrace(TraceFile.Read(path, seed, 0, arguments.GetValue(Most)))
            : new GeneratedSessions(new SessionOptions { Duration = TimeSpan.FromSeconds(arguments.GetValue(Seconds)), Seed = seed });
        var policies = arguments.GetValue(Policies) is { Length: > 0 } named ? named : Ways;
        output.WriteLine($"{"policy",-14}{"goodput/s",10}{"TTFT p50",10}{"p90",10}{"p99",10}{"away",8}{"cached",8}{"refused",9}");
        foreach (var policy in policies)
        {
            var options = OptionsOf(policy, arguments, loads.Length, seed);
            var world = new RegionWorld(options, isOmniscient: policy == "omniscient");
            world.Run(RegionTrace.Spread(source.At(rate), loads));
            var figures = RegionFigures.Of(world, new SloTarget());
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{policy,-14}{figures.GoodputPerSecond,10:F2}{figures.Ttft.P50,10:F0}{figures.Ttft.P90,10:F0}{figures.Ttft.P99,10:F0}{figures.Forwarded,8:P1}{figures.CachedShare,8:P1}{world.PeerRefusals,9}"));
            if (arguments.GetValue(Rows) is { } file) RegionRows.Write(file, policy, world, append: policy != policies[0]);
            foreach (var violation in world.Judge.Violations)
            {
                isBroken = true;
                output.WriteLine("  " + violation);
            }
        }

        return isBroken ? ExitViolation : 0;
    }

    private static RegionWorldOptions OptionsOf(string policy, ParseResult arguments, int regions, ulong seed)
    {
        var plain = new RegionWorldOptions
        {
            Regions = regions,
            EndpointsPerRegion = arguments.GetValue(Endpoints),
            RoundTripMs = arguments.GetValue(RoundTrips)!,
            Seed = seed,
        };
        var target = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = arguments.GetValue(Target) };
        return policy switch
        {
            "alone" => plain with { HasPeers = false },
            "waterfall-1s" => plain with { Settings = [target], ReportIntervalMs = 1000 },
            "credits" => plain with { Settings = [target] },
            "mesh" or "omniscient" => plain,
            _ => throw new ArgumentException($"--policy {policy}: one of {string.Join(", ", Ways)} is expected."),
        };
    }
}
