namespace Mesh.Cli.Output;

/// <summary>Whether a stream gets colours: on a terminal that has them, unless NO_COLOR says otherwise (no-color.org).</summary>
internal static class ColourChoice
{
    public static bool Decide(bool isTerminal, Func<string, string?> environment) =>
        isTerminal && string.IsNullOrEmpty(environment("NO_COLOR")) && environment("TERM") != "dumb";
}
