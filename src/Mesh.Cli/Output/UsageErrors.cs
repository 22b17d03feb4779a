using System.CommandLine;
using System.Text.RegularExpressions;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Output;

/// <summary>Tells what is wrong with a command line: each mistake in one line, with the nearest right word, and where help is.</summary>
internal static partial class UsageErrors
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
            .Select(m => m == NoCommand ? "No command is named." : Plain(m)));
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

    // The parser speaks of types of the framework, and lists words one below the other.
    private static string Plain(string message)
    {
        if (BadValue().Match(message) is { Success: true } value)
            return $"{value.Groups["option"].Value} {value.Groups["value"].Value}: {NumberFor(value.Groups["type"].Value)} is expected.";
        if (BadWord().Match(message) is { Success: true } word)
            return $"{word.Groups["value"].Value} is none of {string.Join(", ", word.Groups["words"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(w => w.Trim('\'')))}.";
        return message;
    }

    private static string NumberFor(string type) => type switch
    {
        nameof(UInt64) or nameof(UInt32) => "a whole number of 0 or more",
        nameof(Int32) or nameof(Int64) => "a whole number",
        nameof(Double) => "a number",
        nameof(Boolean) => "true or false",
        _ => "another value",
    };

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for option '(?<option>[^']+)' as expected type '(?:System\\.Nullable`1\\[)?System\\.(?<type>\\w+)\\]?'\\.$", RegexOptions.Singleline)]
    private static partial Regex BadValue();

    [GeneratedRegex("^Argument '(?<value>.*)' not recognized\\. Must be one of:(?<words>.*)$", RegexOptions.Singleline)]
    private static partial Regex BadWord();

    private static bool IsOption(string token) => token.StartsWith('-');

    private static string Title(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Title(parent)} {command.Name}" : "mesh";
}
