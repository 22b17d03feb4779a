namespace Mesh.Resources.Tests.Support;

/// <summary>Where test data lies beside the test assembly.</summary>
internal static class Cases
{
    public static string Quickstart { get; } = Path.Combine(AppContext.BaseDirectory, "examples", "quickstart");

    public static string Golden { get; } = Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>The fleet that single-file cases stand in.</summary>
    public static string Fleet { get; } = Path.Combine(Golden, "_fleet");
}
