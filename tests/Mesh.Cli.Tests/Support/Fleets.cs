namespace Mesh.Cli.Tests.Support;

/// <summary>Fleet files for the quick start's manifests.</summary>
internal static class Fleets
{
    public static string Quickstart { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "examples", "quickstart-fleet.yaml");

    /// <summary>The quick start's with one text replaced, which must be there.</summary>
    public static string Edited(TemporaryFolder folder, string old, string now)
    {
        var text = File.ReadAllText(Quickstart);
        Assert.Contains(old, text, StringComparison.Ordinal);
        return folder.Write("fleet.yaml", text.Replace(old, now, StringComparison.Ordinal));
    }
}
