using System.CommandLine;
using System.Globalization;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Commands;

/// <summary><c>faults</c>: worlds in which everything breaks, with invariants checked after every event. Exit code 0, 2 when one is broken, 1 when an input is wrong.</summary>
internal static class FaultsCommand
{
    private const int ExitInput = 1;
    private const int ExitViolation = 2;

    private static readonly Option<ulong> Seed = new("--seed") { Description = "Seed of the first world.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Worlds = new("--worlds") { Description = "Worlds to play, of seeds that follow each other.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> ScriptFile = new("--script") { Description = "What breaks instead of what the seed says: lines of 'time-ms kind target duration-ms'.", HelpName = "FILE" };
    private static readonly Option<bool> Log = new("--log") { Description = "Write every event; with one world." };
    private static readonly Option<int> RecountEvery = new("--recount") { Description = "Calls of a pool between two full recounts.", DefaultValueFactory = _ => 32 };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("faults", "Play worlds of failures over the production core and check its invariants.") { Seed, Worlds, ScriptFile, Log, RecountEvery };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        var output = arguments.InvocationConfiguration.Output;
        var error = arguments.InvocationConfiguration.Error;
        try
        {
            var worlds = arguments.GetValue(Worlds);
            if (worlds is < 1 or > 10_000_000) throw new ArgumentException("--worlds must be 1–10,000,000.");
            if (arguments.GetValue(RecountEvery) is < 1) throw new ArgumentException("--recount must be at least 1.");
            return worlds == 1 ? RunOne(arguments, output) : RunMany(arguments, worlds, output, error);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message);
            return ExitInput;
        }
    }

    private static int RunOne(ParseResult arguments, TextWriter output)
    {
        var script = arguments.GetValue(ScriptFile) is { } file ? Fault.ParseScript(File.ReadLines(file)) : null;
        var plan = FaultPlan.Of(arguments.GetValue(Seed), script);
        var log = arguments.GetValue(Log);
        if (log) output.WriteLine(plan);
        var world = new FaultWorld(plan, CorePool.Create, log ? output : null, arguments.GetValue(RecountEvery));
        var result = new FaultBatchResult { Violation = world.Run(), FailedSeed = plan.Seed };
        result.Add(world);
        return Tell(result, output);
    }

    private static int RunMany(ParseResult arguments, int worlds, TextWriter output, TextWriter error)
    {
        if (arguments.GetValue(ScriptFile) is not null || arguments.GetValue(Log)) throw new ArgumentException("--script and --log are for one world.");
        var started = TimeProvider.System.GetTimestamp();
        var result = FaultBatch.Run(arguments.GetValue(Seed), worlds, CorePool.Create, played => error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{played} worlds")));
        error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s"));
        return Tell(result, output);
    }

    private static int Tell(FaultBatchResult result, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Worlds} {(result.Worlds == 1 ? "world" : "worlds")}, {result.Faults} faults, {result.Requests} requests, {result.Events} events"));
        foreach (var (end, count) in result.Ends) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {end}: {count}"));
        if (result.Violation is null)
        {
            output.WriteLine("no invariant was broken");
            return 0;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {result.FailedSeed}: {result.Violation}"));
        output.WriteLine(FaultBatch.ReplayCommand(result.FailedSeed!.Value));
        return ExitViolation;
    }
}
