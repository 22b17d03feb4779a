using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Every endpoint's zone is known: from its EndpointSlice, else from its cluster.</summary>
internal sealed class EndpointsHaveZones : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var clusters = world.Pools.SelectMany(p => p.Endpoints).Where(e => e.Zone.Length == 0).Select(e => e.Owner.Cluster).Distinct().Order(
            StringComparer.Ordinal);
        foreach (var cluster in clusters)
        {
            if (world.Resources.Of<ClusterProfile>().FirstOrDefault(p => p.Name == cluster) is not { } profile) continue;
            report.Error(
                profile.Header.NameAt, DiagnosticCodes.ZoneUnknown, $"Cluster {cluster} has no zone, and not all of its endpoints have one in an EndpointSlice",
                $"add the label {ClusterProfile.ZoneLabel}");
        }
    }
}
