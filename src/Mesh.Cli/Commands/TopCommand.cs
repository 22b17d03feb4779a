using System.CommandLine;
using System.Text;
using System.Text.Json;
using Mesh.Cli.Live;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh top</c>: pools, backends and the busiest endpoints at a glance, again every second; once where nobody looks on.</summary>
internal static class TopCommand
{
    private const int MostEndpoints = 1000;
    private static readonly string[] SortFields = ["inFlightRequests", "inFlightTokens", "kvUtilizationRatio", "waitingRequests"];
    private static readonly TimeSpan KeyPoll = TimeSpan.FromMilliseconds(50);

    public static Command Create(ToolConsole console)
    {
        var interval = new Option<double>("--interval") { Description = "Seconds between two readings.", HelpName = "SECONDS", DefaultValueFactory = _ => 1 };
        interval.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.2 and <= 3600)) result.AddError("Option --interval must be 0.2–3600 seconds.");
        });
        var once = new Option<bool>("--once") { Description = "Print once, also on a terminal." };
        var command = new Command("top", "Show load by pool, backend and endpoint, live. Keys: q quits, s sorts by the next field.") { interval, once };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (servers.Find(arguments) is not { } server) return ExitCodes.Failed;
            var screen = new Screen(console, server);
            if (console.ReadKey is null || arguments.GetValue(once)) return await screen.PrintAsync(int.MaxValue, SortFields[0], cancellationToken) is { } text ? Write(console, text) : ExitCodes.Failed;
            return await LiveAsync(console, screen, TimeSpan.FromSeconds(arguments.GetValue(interval)), cancellationToken);
        });
        return command;
    }

    private static int Write(ToolConsole console, string text)
    {
        console.Out.Write(text);
        return ExitCodes.Done;
    }

    private static async Task<int> LiveAsync(ToolConsole console, Screen screen, TimeSpan interval, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var sort = 0;
        // The alternate screen, so that what stood there before comes back.
        console.Out.Write("\x1b[?1049h\x1b[?25l");
        try
        {
            while (true)
            {
                if (await screen.PrintAsync(console.Height() - 1, SortFields[sort], cancellationToken) is not { } text) return ExitCodes.Failed;
                console.Out.Write($"\x1b[H\x1b[2J{text}");
                console.Out.Flush();
                var shown = time.GetTimestamp();
                while (time.GetElapsedTime(shown) < interval)
                {
                    var key = console.ReadKey!();
                    if (key is ConsoleKey.Q or ConsoleKey.Escape) return ExitCodes.Done;
                    if (key == ConsoleKey.S)
                    {
                        sort = (sort + 1) % SortFields.Length;
                        break;
                    }

                    await Task.Delay(KeyPoll, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Done;
        }
        finally
        {
            console.Out.Write("\x1b[?25h\x1b[?1049l");
            console.Out.Flush();
        }
    }

    /// <summary>Puts one screen together.</summary>
    private sealed class Screen(ToolConsole console, AdminServer server)
    {
        private readonly LiveList _list = new(console, server);

        /// <summary>The text, at most so many lines; null when there is no answer, which has then been told of.</summary>
        public async Task<string?> PrintAsync(int height, string sort, CancellationToken cancellationToken)
        {
            if (await server.GetAsync("/api/v1/state", "state", cancellationToken) is not { } state) return null;
            if (await ReadAsync("pools", null, cancellationToken) is not { } pools || await ReadAsync("backends", null, cancellationToken) is not { } backends) return null;
            if (await ReadAsync("endpoints", $"-{sort}", cancellationToken) is not { } endpoints) return null;
            var text = new StringWriter { NewLine = "\n" };
            var page = new ToolConsole(text, text);
            page.WriteLine(Headline(state));
            page.WriteLine();
            Section(page, "pools", pools);
            page.WriteLine();
            Section(page, "backends", backends);
            page.WriteLine();
            var left = height == int.MaxValue ? MostEndpoints : Math.Max(3, height - text.ToString().Count(c => c == '\n') - 2);
            page.WriteLine(endpoints.Count > left ? $"The {left} busiest of {endpoints.Count} endpoints by {sort}" : $"Endpoints by {sort}");
            Section(page, "endpoints", endpoints[..Math.Min(left, endpoints.Count)]);
            var lines = text.ToString().Split('\n');
            return height == int.MaxValue || lines.Length <= height ? text.ToString() : string.Join('\n', lines[..height]);
        }

        private Task<List<JsonElement>?> ReadAsync(string kind, string? sort, CancellationToken cancellationToken) =>
            _list.ReadAsync(new LiveQuery { Kind = LiveKinds.Find(kind)!, SortBy = sort }, cancellationToken);

        private static void Section(ToolConsole page, string kind, List<JsonElement> items)
        {
            var columns = LiveTable.ColumnsOf(LiveKinds.Find(kind)!, wide: false);
            LiveTable.Write(page, columns, items.Select(i => LiveTable.CellsOf(columns, i, TimeProvider.System.GetUtcNow())));
        }

        private string Headline(JsonElement state)
        {
            var line = new StringBuilder($"{server.Address.Authority}");
            if (Field.Text(state, "region") is not Field.None and var region) line.Append($", region {region}");
            line.Append($", up {Field.Seconds(state, "uptimeSeconds")}, configuration {Field.Text(state, "configurationVersion")}: ");
            line.Append(Field.Text(state, "ready") == "true" ? "ready" : $"NOT READY, {Field.Text(state, "notReadyReason")}");
            line.Append($"; {Field.Of(state, "readyEndpoints", "endpoints")} endpoints ready, {Field.Text(state, "openRequests")} requests open, {Field.Text(state, "queuedRequests")} queued, {Field.Text(state, "leases")} leases");
            return line.ToString();
        }
    }
}
