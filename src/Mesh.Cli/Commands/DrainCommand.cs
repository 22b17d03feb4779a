using System.CommandLine;
using System.Text.Json;
using Mesh.Cli.Live;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh drain KIND NAME --reason WHY</c> takes an endpoint, cluster or region out of service; <c>mesh undrain KIND NAME</c> brings it back.</summary>
internal static class DrainCommand
{
    private const string Path = "/api/v1/drains";
    private static readonly string[] Kinds = ["endpoint", "cluster", "region"];
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    public static Command Create(ToolConsole console)
    {
        var (kind, name, pool, output) = Arguments();
        var reason = new Option<string>("--reason") { Description = "Why: whoever finds the drain at night reads it.", HelpName = "TEXT", Required = true };
        reason.Validators.Add(result =>
        {
            if (string.IsNullOrWhiteSpace(result.GetValueOrDefault<string>())) result.AddError("Option --reason must say why.");
        });
        var force = new Option<bool>("--force") { Description = "Even where a pool loses its last ready endpoint." };
        var wait = new Option<bool>("--wait") { Description = "Wait until no request is in flight there any more." };
        var timeout = new Option<double>("--timeout") { Description = "Longest wait, in seconds.", HelpName = "SECONDS", DefaultValueFactory = _ => 600 };
        timeout.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 86_400)) result.AddError("Option --timeout must be above 0 and at most 86400 seconds.");
        });
        var command = new Command("drain", "Take an endpoint, cluster or region of a running gateway out of service: no new requests until it is undrained.")
        {
            kind, name, reason, pool, force, wait, timeout, output,
        };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (servers.Find(arguments) is not { } server) return ExitCodes.Failed;
            var body = JsonSerializer.Serialize(
                new { kind = arguments.GetRequiredValue(kind), name = arguments.GetRequiredValue(name), reason = arguments.GetRequiredValue(reason), pool = arguments.GetValue(pool), force = arguments.GetValue(force), by = User(console) });
            if (await server.SendAsync(HttpMethod.Post, Path, body, "drains", cancellationToken) is not { } answer) return ExitCodes.Failed;
            var isText = arguments.GetRequiredValue(output) == "text";
            if (isText) Tell(console, answer, "drained");
            if (arguments.GetValue(wait) && !await IsEmptyAsync(console, server, answer.GetProperty("drain"), TimeSpan.FromSeconds(arguments.GetValue(timeout)), isText, cancellationToken)) return ExitCodes.Failed;
            if (!isText) JsonText.Write(console, answer);
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command CreateUndrain(ToolConsole console)
    {
        var (kind, name, pool, output) = Arguments();
        var reason = new Option<string?>("--reason") { Description = "Why, for the history.", HelpName = "TEXT" };
        var command = new Command("undrain", "Bring an endpoint, cluster or region back into service.") { kind, name, reason, pool, output };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (servers.Find(arguments) is not { } server) return ExitCodes.Failed;
            var query = new List<string> { $"by={Uri.EscapeDataString(User(console))}" };
            if (arguments.GetValue(pool) is { } named) query.Add($"pool={Uri.EscapeDataString(named)}");
            if (arguments.GetValue(reason) is { } why) query.Add($"reason={Uri.EscapeDataString(why)}");
            var path = $"{Path}/{arguments.GetRequiredValue(kind)}/{Uri.EscapeDataString(arguments.GetRequiredValue(name))}?{string.Join('&', query)}";
            if (await server.SendAsync(HttpMethod.Delete, path, null, "drains", cancellationToken) is not { } answer) return ExitCodes.Failed;
            if (arguments.GetRequiredValue(output) == "text") Tell(console, answer, "undrained");
            else JsonText.Write(console, answer);
            return ExitCodes.Done;
        });
        return command;
    }

    private static (Argument<string> Kind, Argument<string> Name, Option<string?> Pool, Option<string> Output) Arguments()
    {
        var kind = new Argument<string>("KIND") { Description = $"One of {string.Join(", ", Kinds)}." };
        kind.CompletionSources.Add(Kinds);
        kind.Validators.Add(result =>
        {
            var word = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
            if (word.Length > 0 && !Kinds.Contains(word)) result.AddError($"KIND is {word}; it must be one of {string.Join(", ", Kinds)}.");
        });
        var name = new Argument<string>("NAME") { Description = "Address ip:port of the endpoint, or name of the cluster or region." };
        var pool = new Option<string?>("--pool") { Description = "In this pool alone; by default in all.", HelpName = "NS/POOL" };
        return (kind, name, pool, ListFormat.Create("text", "json"));
    }

    private static string User(ToolConsole console) => console.Environment("USER") is { Length: > 0 } user ? $"{user}@{Environment.MachineName}" : Environment.MachineName;

    private static void Tell(ToolConsole console, JsonElement answer, string done)
    {
        var drain = answer.GetProperty("drain");
        var endpoints = Field.Text(drain, "endpoints");
        console.Write($"{Field.Text(drain, "kind")} {Field.Text(drain, "name")} {done}", Palette.Hint);
        console.WriteLine($": {endpoints} endpoint{(endpoints == "1" ? "" : "s")}, {Field.Text(drain, "inFlightRequests")} requests in flight");
        if (Field.At(answer, "warning") is not { } warning) return;
        console.ForProblems().Write("warning", Palette.Warning);
        console.ForProblems().WriteLine($": {warning.GetString()}");
    }

    private static async Task<bool> IsEmptyAsync(ToolConsole console, AdminServer server, JsonElement drain, TimeSpan timeout, bool isText, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var query = new LiveQuery { Kind = LiveKinds.Find("drains")! };
        while (true)
        {
            if (await new LiveList(console, server).ReadAsync(query, cancellationToken) is not { } drains) return false;
            var own = drains.Where(d => Field.Text(d, "kind") == Field.Text(drain, "kind") && Field.Text(d, "name") == Field.Text(drain, "name") && Field.Text(d, "pool") == Field.Text(drain, "pool")).ToList();
            if (own.Count == 0)
            {
                console.Problem("Somebody has ended the drain", "see who: mesh get drains -o json");
                return false;
            }

            var left = Field.Double(own[0], "inFlightRequests") ?? 0;
            if (left == 0)
            {
                if (isText) console.WriteLine($"empty after {Field.Duration(time.GetElapsedTime(began).TotalSeconds)}");
                return true;
            }

            if (time.GetElapsedTime(began) >= timeout)
            {
                console.Problem($"{left} requests are still in flight after {Field.Duration(timeout.TotalSeconds)}", "wait longer with --timeout; the pool's connectionDraining.drainingTimeoutSec bounds what goes on");
                return false;
            }

            await Task.Delay(Poll, cancellationToken);
        }
    }
}
