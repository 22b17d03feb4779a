using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Golden;

/// <summary>
/// Each folder beside this file is a case: <c>in.yaml</c>, applied to the config cluster of the fleet in <c>_fleet</c>, or a whole
/// directory of manifests <c>in/</c>; and <c>expected.json</c>, which also shows the whole configuration where the folder has a file
/// <c>with-config</c>. With MESH_GOLDEN_UPDATE=1 the expectations are written instead of compared, to be read before they are
/// committed.
/// </summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Names { get; } =
        [.. Directory.EnumerateDirectories(Cases.Golden).Select(d => Path.GetFileName(d)).Where(n => n[0] != '_').Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_GoldenCase_GivesWhatIsExpected(string name)
    {
        var folder = Path.Combine(Cases.Golden, name);
        using var directory = new TempDirectory();
        var whole = Path.Combine(folder, "in");
        if (Directory.Exists(whole))
        {
            directory.CopyFrom(whole, "manifests");
        }
        else
        {
            directory.CopyFrom(Cases.Fleet, "manifests");
            directory.CopyFrom(folder, "manifests/west");
        }

        var actual = GoldenDocument.Of(
            ManifestLoader.Load(Path.Combine(directory.Path, "manifests")), withConfig: File.Exists(Path.Combine(folder, "with-config")));

        var expected = Path.Combine(folder, "expected.json");
        if (Environment.GetEnvironmentVariable("MESH_GOLDEN_UPDATE") == "1")
            File.WriteAllText(Path.Combine(TempDirectory.SourceFolder(), "Golden", name, "expected.json"), actual);
        else
            Assert.Equal(File.ReadAllText(expected), actual);
    }
}
