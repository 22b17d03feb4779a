using System.CommandLine;
using System.Text.Json;
using Mesh.Cli.Live;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh describe KIND NAME</c>: everything that a running gateway knows of one thing, settings with the place where they are written, and drains over it.</summary>
internal static class DescribeCommand
{
    public static Command Create(ToolConsole console)
    {
        var kind = KindArgument.Create();
        var name = new Argument<string>("NAME") { Description = "Its name, as get shows it; of pods and pools the short name does." };
        var output = ListFormat.Create("text", "json", "yaml");
        var command = new Command("describe", "Show everything that a running gateway knows of one pool, endpoint or other thing.") { kind, name, output };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) => servers.Find(arguments) is { } server
            ? await RunAsync(console, server, LiveKinds.Find(arguments.GetRequiredValue(kind))!, arguments.GetRequiredValue(name), arguments.GetRequiredValue(output), cancellationToken)
            : ExitCodes.Failed);
        return command;
    }

    private static async Task<int> RunAsync(ToolConsole console, AdminServer server, LiveKind kind, string name, string format, CancellationToken cancellationToken)
    {
        var list = new LiveList(console, server);
        if (await list.ReadAsync(new LiveQuery { Kind = kind, Names = [name] }, cancellationToken) is not { } items) return ExitCodes.Failed;
        if (kind.Plural == "pools" && items.Count == 1)
        {
            // The pool's own page has its policies and settings too.
            if (await server.GetAsync($"{kind.Path}/{Field.Text(items[0], "id")}", kind.Plural, cancellationToken) is not { } pool) return ExitCodes.Failed;
            items = [pool];
        }

        if (format != "text")
        {
            var answer = items.Count == 1 ? items[0] : JsonSerializer.SerializeToElement(new { kind = kind.Plural, items });
            if (format == "json") JsonText.Write(console, answer);
            else YamlText.Write(console, answer);
            return ExitCodes.Done;
        }

        var drains = kind.Plural is "endpoints" or "clusters" or "regions" ? await list.ReadAsync(new LiveQuery { Kind = LiveKinds.Find("drains")! }, cancellationToken) ?? [] : [];
        var text = new Description(console);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) console.WriteLine();
            text.Write(items[i]);
            WriteDrains(console, text, items[i], kind, drains);
        }

        return ExitCodes.Done;
    }

    private static void WriteDrains(ToolConsole console, Description text, JsonElement item, LiveKind kind, List<JsonElement> drains)
    {
        var over = drains.Where(d => (Field.Text(d, "kind"), Field.Text(d, "name")) is var drain && (
            drain == (kind.Singular, kind.Name(item)) || drain == ("cluster", Field.Text(item, "cluster")) || drain == ("region", Field.Text(item, "region")))).ToList();
        if (over.Count == 0) return;
        text.Heading("Drained");
        foreach (var drain in over)
        {
            console.WriteLine(
                $"  with {Field.Text(drain, "kind")} {Field.Text(drain, "name")}, since {Field.Text(drain, "since")}, by {Field.Text(drain, "by")}: {Field.Text(drain, "reason")}");
        }
    }
}
