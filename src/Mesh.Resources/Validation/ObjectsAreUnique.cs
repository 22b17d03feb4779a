using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>No cluster has two objects of one kind, namespace and name.</summary>
internal sealed class ObjectsAreUnique : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        // Profiles are unique over the whole fleet, which another rule checks.
        foreach (var (repeated, first) in world.Resources.Repeated.Where(r => r.Object is not ClusterProfile))
            report.Error(
                repeated.Header.NameAt, DiagnosticCodes.ObjectRepeated,
                $"{repeated.Header.Kind.Name} {repeated.Header.FullName} is already defined in {first.Header.NameAt}",
                "rename or remove one of the two");
    }
}
