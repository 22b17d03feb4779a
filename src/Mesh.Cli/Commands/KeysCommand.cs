using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Gateway.Keys;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh keys new</c> makes an API key, <c>mesh keys hash</c> takes one that exists; both print the entry for the gateway's file of keys.</summary>
internal static class KeysCommand
{
    public static Command Create(ToolConsole console)
    {
        var command = new Command("keys", "Make API keys for the gateway.") { New(console), Hash(console) };
        return command;
    }

    private static Command New(ToolConsole console)
    {
        var (id, roles, output) = Options();
        var command = new Command("new", "Make a key and print it with its entry, once: nobody can read it from the entry.") { id, roles, output };
        command.SetAction(arguments => Write(
            console, OutputOption.Read(arguments, output), KeyHash.NewKey(arguments.GetRequiredValue(id)), arguments.GetRequiredValue(id), arguments.GetRequiredValue(roles), isNew: true));
        return command;
    }

    private static Command Hash(ToolConsole console)
    {
        var (id, roles, output) = Options();
        var command = new Command("hash", "Read a key from standard input and print its entry.") { id, roles, output };
        command.SetAction(arguments =>
        {
            // Never an argument: those stand in the list of processes and in the shell's history.
            var key = console.In.ReadLine()?.Trim() ?? "";
            if (key.Length >= KeyHash.MinChars && KeyHash.IsKey(key))
                return Write(console, OutputOption.Read(arguments, output), key, arguments.GetRequiredValue(id), arguments.GetRequiredValue(roles), isNew: false);
            console.Problem(
                $"Standard input has no key of {KeyHash.MinChars}–{KeyHash.MaxChars} printable ASCII characters without blanks", "make one: mesh keys new --id NAME");
            return ExitCodes.Failed;
        });
        return command;
    }

    private static (Option<string> Id, Option<string[]> Roles, Option<string> Output) Options()
    {
        var id = new Option<string>("--id") { Description = "Name of the key, as logs have it.", HelpName = "NAME", Required = true };
        id.Validators.Add(result =>
        {
            if (!KeyHash.IsId(result.GetValueOrDefault<string>())) result.AddError($"Option --id must have 1–{KeyHash.MaxIdChars} letters, digits, points and hyphens.");
        });
        var roles = new Option<string[]>("--role")
        {
            Description = "What it opens: inference, reader (metrics, decisions) or operator (changes); may be repeated.",
            HelpName = "ROLE",
            DefaultValueFactory = _ => ["inference"],
        };
        roles.AcceptOnlyFromAmong("inference", "reader", "operator");
        return (id, roles, OutputOption.Create());
    }

    private static int Write(ToolConsole console, OutputFormat format, string key, string id, string[] roles, bool isNew)
    {
        var entry = new Entry(id, KeyHash.Of(id, key).ToString(), roles);
        if (format == OutputFormat.Json)
        {
            JsonText.Write(console, new Answer(isNew ? key : null, entry));
            return ExitCodes.Done;
        }

        if (isNew) console.WriteLine($"key    {key}");
        console.WriteLine($$"""entry  {"id":"{{id}}","hash":"{{entry.Hash}}","roles":[{{string.Join(',', roles.Select(r => $"\"{r}\""))}}]}""");
        console.WriteLine();
        console.WriteLine("Put the entry into the list `keys` of the file that Mesh:Keys:File names; a running gateway takes it within a second.");
        return ExitCodes.Done;
    }

    /// <summary>The answer in JSON.</summary>
    private sealed record Answer(string? Key, Entry Entry);

    /// <summary>The entry.</summary>
    private sealed record Entry(string Id, string Hash, string[] Roles);
}
