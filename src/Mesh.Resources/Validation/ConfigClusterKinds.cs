using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Validation;

/// <summary>Gateways, routes and policies outside the config cluster have no effect.</summary>
internal sealed class ConfigClusterKinds : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var resource in world.Resources.All.Where(r => !world.Counts(r)))
        {
            report.Warning(
                resource.Header.NameAt, DiagnosticCodes.NotConfigCluster,
                $"{resource.Header.Kind.Name} {resource.Header.FullName} has no effect: {resource.Cluster} is not the config cluster",
                $"move it to {world.ConfigCluster}, or remove it");
        }
    }
}
