using System.CommandLine;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Output;

/// <summary>The option <c>-o</c> of commands that show lists.</summary>
internal static class ListFormat
{
    private static readonly string[] Names = ["table", "wide", "json", "yaml", "name"];

    /// <summary>The option.</summary>
    public static Option<string> Create(params string[] names)
    {
        var known = names.Length == 0 ? Names : names;
        var option = new Option<string>("--output", "-o") { Description = "How to write the answer.", HelpName = string.Join('|', known), DefaultValueFactory = _ => known[0] };
        option.CompletionSources.Add(known);
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0 || known.Contains(result.Tokens[^1].Value)) return;
            var word = result.Tokens[^1].Value;
            var nearest = NearestName.Of(word, known);
            result.AddError($"Option -o is {word}; it must be one of {string.Join(", ", known)}{(nearest is null ? "" : $"; did you mean {nearest}?")}.");
        });
        return option;
    }
}
