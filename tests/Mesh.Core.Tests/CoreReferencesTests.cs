using Mesh.Core.Routing;

namespace Mesh.Core.Tests;

public sealed class CoreReferencesTests
{
    [Fact]
    public void Assembly_References_AreTheBaseClassLibraryAlone()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.Contains("Microsoft.NETCore.App", framework, StringComparison.Ordinal);

        var references = typeof(PoolState).Assembly.GetReferencedAssemblies();

        Assert.NotEmpty(references);
        Assert.All(references, reference =>
        {
            Assert.StartsWith("System.", reference.Name, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(framework, reference.Name + ".dll")), $"{reference.Name} is not part of the base class library.");
        });
    }
}
