namespace Mesh.Cli.Output;

/// <summary>Lists of words in options.</summary>
internal static class Words
{
    /// <summary>The words of values that may each have several, separated by commas.</summary>
    public static List<string> Split(string[]? values) =>
        [.. (values ?? []).SelectMany(v => v.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
