using System.CommandLine;

namespace Mesh.Cli.Output;

/// <summary>How a command writes its answer.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For machines: one JSON object.</summary>
    Json,
}

/// <summary>The option <c>-o</c>, as every command has it.</summary>
internal static class OutputOption
{
    public static Option<string> Create()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "How to write the answer; table is another word for text.",
            HelpName = "text|json",
            DefaultValueFactory = _ => "text",
        };
        option.CompletionSources.Add("text", "json");
        option.Validators.Add(result =>
        {
            var word = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
            if (result.Tokens.Count > 0 && word is not ("text" or "table" or "json"))
                result.AddError($"Option -o is {word}; it must be text or json.");
        });
        return option;
    }

    public static OutputFormat Read(ParseResult arguments, Option<string> option) =>
        arguments.GetValue(option) == "json" ? OutputFormat.Json : OutputFormat.Text;
}
