using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Load;
using Mesh.Cli.Output;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Commands;

/// <summary>
/// <c>mesh load URL</c>: sends requests at times fixed beforehand and tells how they were answered. Ctrl-C ends it with what was measured.
/// Exit code 1 when nothing was answered, or when what was measured is less than asked for by <c>--fail-on-errors</c> and
/// <c>--fail-below-goodput</c>.
/// </summary>
internal static class LoadCommand
{
    public static Command Create(ToolConsole console)
    {
        var arguments = new LoadArguments();
        var failOnErrors = new Option<bool>("--fail-on-errors") { Description = "Exit with 1 when any request failed." };
        var leastGoodput = new Option<double?>("--fail-below-goodput") { Description = "Exit with 1 when a smaller share of the requests had a good answer, 0-1.", HelpName = "SHARE" };
        leastGoodput.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && double.TryParse(result.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && !(share is >= 0 and <= 1))
                result.AddError($"--fail-below-goodput is {result.Tokens[^1].Value}; a share, 0 to 1, is expected.");
        });
        var output = OutputOption.Create();
        var command = new Command("load", "Send requests at fixed times and measure how they are answered.");
        arguments.AddTo(command);
        command.Options.Add(failOnErrors);
        command.Options.Add(leastGoodput);
        command.Options.Add(output);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            console, arguments.Read(parsed, Environment.GetEnvironmentVariable),
            new Demands(parsed.GetValue(failOnErrors), parsed.GetValue(leastGoodput) ?? 0), OutputOption.Read(parsed, output), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ToolConsole console, LoadOptions options, Demands demands, OutputFormat format, CancellationToken cancellationToken)
    {
        LoadPlan plan;
        try
        {
            plan = new LoadPlan(options);
        }
        catch (Exception e) when (e is ArgumentException or TraceFormatException or IOException or UnauthorizedAccessException)
        {
            console.Problem(Message(e), options.TraceFile is null ? "mesh load --help" : "give --trace a Mooncake JSONL or an Azure CSV file of at least two rows");
            return ExitCodes.Failed;
        }

        try
        {
            var time = TimeProvider.System;
            if (options.Model.Length == 0)
            {
                var (model, problem) = await ModelLookup.FirstAsync(options, time, cancellationToken);
                if (model is null)
                {
                    console.Problem(problem!, "check the URL and the key, or name a model with --model");
                    return ExitCodes.Failed;
                }

                options = options with { Model = model };
            }

            await Rehearsal.RunAsync(options, time, cancellationToken);
            return Answer(console, await MeasureAsync(console, options, plan, time, cancellationToken), demands, format);
        }
        catch (OperationCanceledException)
        {
            console.Problem("ended before the first request");
            return ExitCodes.Failed;
        }
    }

    private static async Task<LoadReport> MeasureAsync(ToolConsole console, LoadOptions options, LoadPlan plan, TimeProvider time, CancellationToken ended)
    {
        var clock = new RunClock(time);
        var recorder = new LoadRecorder(options);
        using var client = new LoadClient(options, clock);
        var run = new LoadRun(options, plan, client, recorder, clock).RunAsync(ended);
        if (console.Progress is { } terminal) await LoadProgress.ShowAsync(terminal, options, recorder, clock, run);
        await run;
        return LoadReport.Of(options, plan, recorder, clock.Now, ended.IsCancellationRequested);
    }

    private static int Answer(ToolConsole console, LoadReport report, Demands demands, OutputFormat format)
    {
        if (format == OutputFormat.Json) JsonText.Write(console, report);
        else LoadText.Write(console, report);
        var failures = new List<(string Problem, string Next)>();
        if (report.Requests.Answered == 0)
            failures.Add(("no request was answered", report.Errors.Count == 0 ? "run it longer, or at a higher rate" : $"the first of the errors: {LoadText.Words(report.Errors[0].Kind)} {report.Errors[0].Detail}".TrimEnd()));
        if (demands.NoErrors && report.Requests.Failed > 0)
            failures.Add(($"{report.Requests.Failed} requests failed, and --fail-on-errors allows none", "see the errors above"));
        if (report.Goodput.Share < demands.LeastGoodput)
            failures.Add((string.Create(CultureInfo.InvariantCulture, $"goodput is {report.Goodput.Share:0.0000}, below --fail-below-goodput {demands.LeastGoodput}"), "compare TTFT and TPOT with the service level"));
        foreach (var (problem, next) in failures) console.Problem(problem, next);
        return failures.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    // What the base class library adds about its own parameters says nothing on a command line.
    private static string Message(Exception e) =>
        e is ArgumentException { ParamName: { } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    /// <summary>What the exit code demands.</summary>
    private sealed record Demands(bool NoErrors, double LeastGoodput);
}
