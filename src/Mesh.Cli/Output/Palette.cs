using Mesh.Resources.Diagnostics;
using Spectre.Console;

namespace Mesh.Cli.Output;

/// <summary>Colours by meaning: the terminal's own sixteen, which its user has chosen to be readable.</summary>
internal static class Palette
{
    public static Style Error { get; } = new(Color.Red, decoration: Decoration.Bold);

    public static Style Warning { get; } = new(Color.Olive);

    public static Style Note { get; } = new(Color.Teal);

    public static Style Hint { get; } = new(Color.Green);

    public static Style Heading { get; } = new(decoration: Decoration.Bold);

    public static Style Dim { get; } = new(decoration: Decoration.Dim);

    public static Style Of(Severity severity) => severity switch
    {
        Severity.Error => Error,
        Severity.Warning => Warning,
        _ => Note,
    };
}
