using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Mesh.Cli.Live;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh get KIND [NAME…]</c>: what a running gateway knows, as a table, JSON or YAML; with <c>-w</c> as it changes.</summary>
internal static class GetCommand
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    // A gateway that restarts is back by then.
    private const int MostFailures = 5;

    public static Command Create(ToolConsole console)
    {
        var kind = KindArgument.Create();
        var names = new Argument<string[]>("NAME") { Description = "Only these.", Arity = ArgumentArity.ZeroOrMore };
        names.Validators.Add(result =>
        {
            // A misspelt option is no name.
            if (result.Tokens.FirstOrDefault(t => t.Value.StartsWith('-'))?.Value is not { } option) return;
            var nearest = NearestName.Of(option, ((CommandResult)result.Parent!).Command.Options.Select(o => o.Name));
            result.AddError($"mesh get has no option {option}{(nearest is null ? "" : $"; did you mean {nearest}?")}");
        });
        var output = ListFormat.Create();
        var space = new Option<string?>("--namespace", "-n") { Description = "Only this namespace; by default the context's, else all.", HelpName = "NAMESPACE" };
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "All namespaces, whatever the context says." };
        var selector = new Option<string?>("--selector", "-l") { Description = "Only what matches: field=value, field!=value, joined by commas; * at an end of a value stands for anything.", HelpName = "FIELD=VALUE,…" };
        selector.Validators.Add(result =>
        {
            if (FieldSelector.Parse(result.GetValueOrDefault<string?>(), out var mistake) is null) result.AddError(mistake);
        });
        var sort = new Option<string?>("--sort-by") { Description = "Field to sort by; with a minus before it the greatest first: --sort-by=-inFlightRequests.", HelpName = "FIELD" };
        var pool = new Option<string?>("--pool") { Description = "Only of this pool (backends, endpoints, leases, decisions).", HelpName = "[NS/]POOL" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on, and show what changes, once in a second, until Ctrl-C." };
        var headers = new Option<bool>("--no-headers") { Description = "Without the line of headers." };
        var command = new Command("get", "Show pools, backends, endpoints and others of a running gateway.") { kind, names, output, space, everywhere, selector, sort, pool, watch, headers };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (servers.Find(arguments, out var own) is not { } server) return ExitCodes.Failed;
            var query = new LiveQuery
            {
                Kind = LiveKinds.Find(arguments.GetRequiredValue(kind))!,
                Names = arguments.GetValue(names) ?? [],
                Namespace = arguments.GetValue(everywhere) ? null : arguments.GetValue(space) ?? own,
                Selector = FieldSelector.Parse(arguments.GetValue(selector), out _),
                SortBy = arguments.GetValue(sort),
                Parameters = arguments.GetValue(pool) is { } named ? $"&pool={Uri.EscapeDataString(named)}" : "",
            };
            var view = new View(console, query, arguments.GetRequiredValue(output), WithHeaders: !arguments.GetValue(headers));
            var list = new LiveList(console, server);
            return arguments.GetValue(watch) ? await WatchAsync(view, list, cancellationToken) : await ShowAsync(view, list, cancellationToken);
        });
        return command;
    }

    private static async Task<int> ShowAsync(View view, LiveList list, CancellationToken cancellationToken)
    {
        if (await list.ReadAsync(view.Query, cancellationToken) is not { } items) return ExitCodes.Failed;
        var console = view.Console;
        switch (view.Format)
        {
            case "json" or "yaml":
                var answer = view.Query.Names.Length == 1 && items.Count == 1 ? items[0] : JsonSerializer.SerializeToElement(new { kind = view.Query.Kind.Plural, items });
                if (view.Format == "json") JsonText.Write(console, answer);
                else YamlText.Write(console, answer);
                break;
            case "name":
                foreach (var item in items) console.WriteLine($"{view.Query.Kind.Singular}/{view.Query.Kind.Name(item)}");
                break;
            default:
                if (items.Count == 0) console.Error.Write($"No {view.Query.Kind.Plural}{(view.Query.Namespace is { } space ? $" in namespace {space}" : "")}.\n");
                else LiveTable.Write(console, view.Columns, items.Select(i => LiveTable.CellsOf(view.Columns, i, Now())), view.WithHeaders);
                break;
        }

        return ExitCodes.Done;
    }

    private static async Task<int> WatchAsync(View view, LiveList list, CancellationToken cancellationToken)
    {
        var shown = new Dictionary<string, string>();
        var failures = 0;
        var isFirst = true;
        try
        {
            while (true)
            {
                if (await list.ReadAsync(view.Query, cancellationToken) is { } items)
                {
                    failures = 0;
                    view.Update(items, shown, isFirst);
                    isFirst = false;
                }
                else if (isFirst || ++failures >= MostFailures)
                {
                    return ExitCodes.Failed;
                }

                await Task.Delay(WatchInterval, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how a watch ends.
            return ExitCodes.Done;
        }
    }

    private static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();


    /// <summary>How a list is shown.</summary>
    private sealed record View(ToolConsole Console, LiveQuery Query, string Format, bool WithHeaders)
    {
        public LiveColumn[] Columns { get; } = LiveTable.ColumnsOf(Query.Kind, Format == "wide");

        /// <summary>Shows what is new or has changed, and what is gone.</summary>
        public void Update(List<JsonElement> items, Dictionary<string, string> shown, bool isFirst)
        {
            var kind = Query.Kind;
            var rows = new List<string[]>();
            var seen = new HashSet<string>();
            foreach (var item in items)
            {
                // The same endpoint may be in two pools.
                var key = $"{Field.Text(item, "pool")} {kind.Name(item)}";
                seen.Add(key);
                var cells = LiveTable.CellsOf(Columns, item, Now());
                var state = Format is "json" or "yaml" ? item.GetRawText() : string.Join('\t', cells.Where((_, i) => !Columns[i].IsAge));
                if (shown.TryGetValue(key, out var before) && before == state) continue;
                shown[key] = state;
                if (Format == "json") Console.WriteLine(JsonSerializer.Serialize(item));
                else if (Format == "yaml") WriteDocument(item);
                else if (Format == "name") Console.WriteLine($"{kind.Singular}/{kind.Name(item)}");
                else rows.Add(cells);
            }

            foreach (var gone in shown.Keys.Where(k => !seen.Contains(k)).ToList())
            {
                shown.Remove(gone);
                if (Format is "table" or "wide" && !isFirst) Console.WriteLine($"{gone[(gone.IndexOf(' ', StringComparison.Ordinal) + 1)..]}   gone", Palette.Dim);
            }

            if (rows.Count > 0) LiveTable.Write(Console, Columns, rows, isFirst && WithHeaders);
            Console.Out.Flush();
        }

        private void WriteDocument(JsonElement item)
        {
            Console.WriteLine("---");
            YamlText.Write(Console, item);
        }
    }
}
