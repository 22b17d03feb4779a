using System.CommandLine;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Output;

/// <summary>Tells what is wrong with a command line: each mistake in one line, with the nearest right word, and where help is.</summary>
internal static class UsageErrors
{
    // Messages of the parser that are told in better words here.
    private const string Unmatched = "Unrecognized command or argument";
    private const string NoCommand = "Required command was not provided.";

    public static void Write(ParseResult parsed, ToolConsole console)
    {
        var command = parsed.CommandResult.Command;
        var title = Title(command);
        var problems = new List<string>();
        for (var i = 0; i < parsed.UnmatchedTokens.Count; i++)
        {
            // What stands behind an unknown option is taken for its value: one mistake, not two.
            if (i == 0 || !IsOption(parsed.UnmatchedTokens[i - 1]) || IsOption(parsed.UnmatchedTokens[i]))
                problems.Add(Describe(parsed.UnmatchedTokens[i], command, title));
        }

        problems.AddRange(parsed.Errors.Select(e => e.Message)
            .Where(m => !m.StartsWith(Unmatched, StringComparison.Ordinal) && (problems.Count == 0 || m != NoCommand))
            .Select(m => m == NoCommand ? "No command is named." : m));
        foreach (var problem in problems.Take(problems.Count - 1)) console.Problem(problem);
        console.Problem(problems[^1], $"{title} --help");
    }

    private static string Describe(string token, Command command, string title)
    {
        var names = (IsOption(token) ? command.Options.Select(o => o.Name) : command.Subcommands.Select(c => c.Name)).ToList();
        var what = IsOption(token) ? "option" : command.Subcommands.Count > 0 ? "command" : "further argument";
        var started = token.Length > 2 ? names.Where(n => n.StartsWith(token, StringComparison.Ordinal)).ToList() : [];
        var meant = started.Count == 1 ? started[0] : NearestName.Of(token, names);
        return $"{title} has no {what} {token}{(meant is null ? "" : $"; did you mean {meant}?")}";
    }

    private static bool IsOption(string token) => token.StartsWith('-');

    private static string Title(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Title(parent)} {command.Name}" : "mesh";
}
