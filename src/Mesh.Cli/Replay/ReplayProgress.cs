using System.Globalization;
using Mesh.Cli.Output;
using Spectre.Console;

namespace Mesh.Cli.Replay;

/// <summary>A bar while runs go on, on a terminal only.</summary>
internal static class ReplayProgress
{
    /// <summary>Does the work, which names each run and how many requests of it have ended.</summary>
    /// <param name="console">Where the bar is shown, if at all.</param>
    /// <param name="work">Is given a way to begin a run, by its title and expected requests; what it gets back takes the requests that have ended.</param>
    /// <returns>False when the work was interrupted.</returns>
    public static bool Show(ToolConsole console, Action<Func<string, long, Action<int>>> work)
    {
        try
        {
            if (console.Progress is { } terminal) ShowOn(terminal, work);
            else work((_, _) => _ => { });
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static void ShowOn(IAnsiConsole terminal, Action<Func<string, long, Action<int>>> work) =>
        terminal.Progress().AutoClear(true).AutoRefresh(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("reading");
                work((title, expected) =>
                {
                    task.Description = Markup.Escape(title);
                    task.MaxValue = Math.Max(1, expected);
                    task.Value = 0;
                    return ended =>
                    {
                        task.Value = Math.Min(ended, 0.99 * task.MaxValue);
                        task.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{title}: {ended} requests"));
                    };
                });
                task.Value = task.MaxValue;
            });
}
