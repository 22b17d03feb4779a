using Mesh.Core.Randomness;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Reading;

/// <summary>Whatever stands in the files, a load ends with findings that have a place, never with an exception.</summary>
public sealed class MutationTests
{
    private const string Alphabet = "{}[]:,&*!|>'\"%@`#-? \n\tab0.~<=";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Load_MutatedManifests_NeverThrows(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var files = Directory.EnumerateFiles(Cases.Quickstart, "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList(
            );
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Quickstart);
        for (var round = 0; round < 120; round++)
        {
            var file = files[random.NextInt32(files.Count)];
            var text = File.ReadAllText(file).ToCharArray().ToList();
            for (var edits = 1 + random.NextInt32(4); edits > 0; edits--)
            {
                var at = random.NextInt32(text.Count);
                if (random.NextInt32(3) == 0) text.RemoveRange(at, Math.Min(1 + random.NextInt32(40), text.Count - at));
                else text.Insert(at, Alphabet[random.NextInt32(Alphabet.Length)]);
            }

            var name = Path.GetRelativePath(Cases.Quickstart, file);
            directory.Write(name, new string([.. text]));
            var result = ManifestLoader.Load(directory.Path);
            Assert.True(result.HasErrors == result.Config is null, $"seed {seed}, round {round}");
            Assert.All(result.Diagnostics, d => Assert.True(d.Line > 0 || d.Document == 0, $"seed {seed}, round {round}: {d}"));
            directory.Write(name, File.ReadAllText(file));
        }
    }
}
