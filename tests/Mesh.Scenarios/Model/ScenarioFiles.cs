namespace Mesh.Scenarios;

/// <summary>The scenarios that every host plays: each rule of a policy once, for a few seconds, and a busy day of all of them together.</summary>
public static class ScenarioFiles
{
    private static string Directory => Path.Combine(AppContext.BaseDirectory, "scenarios");

    /// <summary>Names, ordered.</summary>
    public static IEnumerable<string> All => System.IO.Directory.GetFiles(Directory, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    /// <summary>A scenario by its name.</summary>
    public static Scenario Read(string name) => ScenarioReader.Read(Path.Combine(Directory, name + ".json"));
}
