using System.CommandLine;
using Mesh.Cli.Live;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Commands;

/// <summary>The argument KIND, as commands about a running gateway have it.</summary>
internal static class KindArgument
{
    /// <summary>The argument.</summary>
    public static Argument<string> Create()
    {
        var argument = new Argument<string>("KIND") { Description = $"What: {string.Join(", ", LiveKinds.All.Select(k => k.Plural))}; singular and short names do as well." };
        argument.CompletionSources.Add([.. LiveKinds.All.Select(k => k.Plural)]);
        argument.Validators.Add(result =>
        {
            var word = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
            if (word.Length == 0 || LiveKinds.Find(word) is not null) return;
            var nearest = NearestName.Of(word, LiveKinds.All.SelectMany(k => (string[])[k.Plural, k.Singular]));
            result.AddError($"There is no kind {word}{(nearest is null ? "" : $"; did you mean {nearest}?")} Kinds are {string.Join(", ", LiveKinds.All.Select(k => k.Plural))}.");
        });
        return argument;
    }
}
