namespace Mesh.Dashboard.Tests.Support;

/// <summary>The machine's own browser.</summary>
internal static class Chromium
{
    private static readonly string[] Places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

    /// <summary>Where it is; null when there is none.</summary>
    public static string? Path { get; } = Environment.GetEnvironmentVariable("MESH_CHROMIUM") is { Length: > 0 } named ? named : Places.FirstOrDefault(File.Exists);
}

/// <summary>A test that needs a browser, and says so where there is none.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Chromium.Path is null) Skip = "There is no browser here: apt-get install chromium, or name one by MESH_CHROMIUM.";
    }
}
