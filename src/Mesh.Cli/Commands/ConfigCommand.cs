using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;
using Mesh.Cli.Serving.Contexts;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh config</c>: gateways that have a name, so that nobody has to type their addresses. Keys stay in files and variables of their own.</summary>
internal static class ConfigCommand
{
    public static Command Create(ToolConsole console) => new("config", "Name gateways: contexts with their address, key file and namespace.")
    {
        List(console), Current(console), Use(console), Set(console), Delete(console), View(console),
    };

    private static Command List(ToolConsole console)
    {
        var output = ListFormat.Create("table", "name", "json");
        var command = new Command("get-contexts", "Show all contexts.") { output };
        command.SetAction(arguments => With(console, file =>
        {
            var format = arguments.GetRequiredValue(output);
            if (format == "json") JsonText.Write(console, file.Contexts);
            else if (format == "name") foreach (var context in file.Contexts) console.WriteLine(context.Name);
            else if (file.Contexts.Count == 0) console.Error.Write("No contexts; make one: mesh config set-context NAME --server URL\n");
            else WriteTable(console, file);
            return ExitCodes.Done;
        }));
        return command;
    }

    private static Command Current(ToolConsole console)
    {
        var command = new Command("current-context", "Show the name of the context that holds.");
        command.SetAction(_ => With(console, file =>
        {
            if ((console.Environment(ServerOptions.ContextVariable) is { Length: > 0 } named ? named : file.CurrentContext) is { } name)
            {
                console.WriteLine(name);
                return ExitCodes.Done;
            }

            console.Problem("No context is current", "choose one: mesh config use-context NAME");
            return ExitCodes.Failed;
        }));
        return command;
    }

    private static Command Use(ToolConsole console)
    {
        var name = Name(console);
        var command = new Command("use-context", "Make a context the current one.") { name };
        command.SetAction(arguments => With(console, file => WithContext(console, file, arguments.GetRequiredValue(name), context =>
        {
            (file with { CurrentContext = context.Name }).Write();
            console.WriteLine($"Context {context.Name} is current: {context.Server}");
            return ExitCodes.Done;
        })));
        return command;
    }

    private static Command Set(ToolConsole console)
    {
        var name = Name(console);
        var server = new Option<string?>("--server") { Description = "Administrative address of the gateway.", HelpName = "URL" };
        server.Validators.Add(result =>
        {
            var url = result.GetValueOrDefault<string?>();
            if (!ServerOptions.IsAddress(url, out _)) result.AddError($"Option --server is {url}; it must be a URL such as http://127.0.0.1:9090.");
        });
        var keyFile = new Option<string?>("--key-file") { Description = "File with the key; empty for none.", HelpName = "FILE" };
        var keyVariable = new Option<string?>("--key-env") { Description = "Environment variable with the key; empty for none.", HelpName = "NAME" };
        var space = new Option<string?>("--namespace", "-n") { Description = "Namespace that commands look at; empty for all.", HelpName = "NAMESPACE" };
        var command = new Command("set-context", "Make or change a context; what is not named stays.") { name, server, keyFile, keyVariable, space };
        command.SetAction(arguments => With(console, file =>
        {
            var called = arguments.GetRequiredValue(name);
            var before = file.Find(called);
            if (before is null && arguments.GetValue(server) is null)
            {
                console.Problem($"Context {called} is new and needs an address", $"mesh config set-context {called} --server http://HOST:9090");
                return ExitCodes.Failed;
            }

            var context = new ContextEntry
            {
                Name = called,
                Server = arguments.GetValue(server) ?? before!.Server,
                KeyFile = Changed(arguments.GetValue(keyFile) is { Length: > 0 } path ? Path.GetFullPath(path) : arguments.GetValue(keyFile), before?.KeyFile),
                KeyEnv = Changed(arguments.GetValue(keyVariable), before?.KeyEnv),
                Namespace = Changed(arguments.GetValue(space), before?.Namespace),
            };
            var isFirst = file.CurrentContext is null;
            (file with { CurrentContext = file.CurrentContext ?? called, Contexts = [.. file.Contexts.Where(c => c.Name != called), context] }).Write();
            console.WriteLine($"Context {called} {(before is null ? "made" : "changed")}{(isFirst ? "; it is current" : "")}.");
            return ExitCodes.Done;
        }));
        return command;
    }

    private static Command Delete(ToolConsole console)
    {
        var name = Name(console);
        var command = new Command("delete-context", "Forget a context.") { name };
        command.SetAction(arguments => With(console, file => WithContext(console, file, arguments.GetRequiredValue(name), context =>
        {
            (file with { CurrentContext = file.CurrentContext == context.Name ? null : file.CurrentContext, Contexts = [.. file.Contexts.Where(c => c.Name != context.Name)] }).Write();
            console.WriteLine($"Context {context.Name} is gone.");
            return ExitCodes.Done;
        })));
        return command;
    }

    private static Command View(ToolConsole console)
    {
        var command = new Command("view", "Show the file of contexts, and what the environment says beside it.");
        command.SetAction(_ => With(console, file =>
        {
            console.WriteLine($"# {file.Path ?? "no home directory"}");
            if (file.Path is not null && File.Exists(file.Path)) console.Out.Write(File.ReadAllText(file.Path));
            foreach (var variable in (string[])[ServerOptions.Variable, ServerOptions.ContextVariable, ContextFile.Variable])
            {
                if (console.Environment(variable) is { Length: > 0 } value) console.WriteLine($"# {variable}={value}");
            }

            if (console.Environment(ServerOptions.KeyVariable) is { Length: > 0 }) console.WriteLine($"# {ServerOptions.KeyVariable} is set");
            return ExitCodes.Done;
        }));
        return command;
    }

    private static Argument<string> Name(ToolConsole console)
    {
        var name = new Argument<string>("NAME") { Description = "Name of the context." };
        name.CompletionSources.Add(_ => ContextFile.Read(console.Environment, out var _).Contexts.Select(c => c.Name));
        return name;
    }

    private static string? Changed(string? given, string? before) => given switch
    {
        null => before,
        "" => null,
        _ => given,
    };

    private static int With(ToolConsole console, Func<ContextFile, int> act)
    {
        var file = ContextFile.Read(console.Environment, out var problems);
        if (problems.Count == 0) return act(file);
        foreach (var problem in problems) console.Problem(problem.ToString());
        console.Problem($"{file.Path} cannot be used", "mend or remove it");
        return ExitCodes.Failed;
    }

    private static int WithContext(ToolConsole console, ContextFile file, string name, Func<ContextEntry, int> act)
    {
        if (file.Find(name) is { } context) return act(context);
        ServerOptions.Unknown(console, file, name);
        return ExitCodes.Failed;
    }

    private static void WriteTable(ToolConsole console, ContextFile file)
    {
        var table = new Columns();
        table.Add([.. ((string[])["CURRENT", "NAME", "SERVER", "KEY", "NAMESPACE"]).Select(h => new Columns.Cell(h, Palette.Dim))]);
        foreach (var context in file.Contexts)
        {
            var key = context.KeyFile ?? (context.KeyEnv is { } variable ? $"${variable}" : "-");
            table.Add(context.Name == file.CurrentContext ? "*" : "", context.Name, context.Server, key, context.Namespace ?? "-");
        }

        table.Write(console, 0);
    }
}
