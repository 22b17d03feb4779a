using System.Globalization;
using Spectre.Console;

namespace Mesh.Cli.Load;

/// <summary>A progress bar while a run goes on, for terminals.</summary>
internal static class LoadProgress
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    /// <summary>Shows the bar until the run has ended.</summary>
    /// <param name="console">Terminal.</param>
    /// <param name="options">How long the run is.</param>
    /// <param name="recorder">How far it is.</param>
    /// <param name="clock">Time of the run.</param>
    /// <param name="run">The run.</param>
    public static Task ShowAsync(IAnsiConsole console, LoadOptions options, LoadRecorder recorder, RunClock clock, Task run) =>
        console.Progress().AutoClear(true).AutoRefresh(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("starting", maxValue: 1);
                while (!run.IsCompleted)
                {
                    task.Value = Done(options, recorder, clock);
                    task.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture,
                        $"{recorder.Answered} answered, {recorder.InFlight} in flight, {recorder.Failed} failed"));
                    await Task.WhenAny(run, Task.Delay(Pace, clock.Time)).ConfigureAwait(false);
                }

                task.Value = 1;
            });

    private static double Done(LoadOptions options, LoadRecorder recorder, RunClock clock)
    {
        var ended = recorder.Answered + recorder.Failed + recorder.WarmUp;
        var byNumber = options.Requests == long.MaxValue ? 0 : (double)ended / Math.Max(1, options.Requests);
        var byTime = options.Duration is { } duration && duration > TimeSpan.Zero ? clock.Now / duration : 0;
        // Answers may come long after the last request was sent.
        return Math.Min(0.99, Math.Max(byNumber, byTime));
    }
}
