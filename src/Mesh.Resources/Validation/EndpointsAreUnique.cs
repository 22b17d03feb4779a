using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Validation;

/// <summary>An address and port belong to one pod of the whole mesh, and a pod belongs to one import.</summary>
internal sealed class EndpointsAreUnique : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var first = new Dictionary<string, (EndpointDraft Endpoint, PoolDraft Pool)>(StringComparer.Ordinal);
        foreach (var pool in world.Pools.OrderBy(p => p.LocalToCluster is not null).ThenBy(p => p.Id))
        {
            foreach (var endpoint in pool.Endpoints)
            {
                if (first.TryAdd(endpoint.Text, (endpoint, pool))) continue;
                var (other, otherPool) = first[endpoint.Text];
                if (!IsSamePod(endpoint, other))
                {
                    report.Error(
                        endpoint.At, DiagnosticCodes.EndpointRepeated, $"{endpoint.Text} is the endpoint of {endpoint.Title} and of {other.Title}",
                        "an address must be unique over all clusters of the mesh");
                }
                else if (otherPool.Id != pool.Id && pool.LocalToCluster is null)
                {
                    report.Warning(
                        endpoint.At, DiagnosticCodes.EndpointShared, $"{endpoint.Title} belongs to the pools {otherPool.Id} and {pool.Id}, which do not see each other's load",
                        "make their selectors disjoint");
                }
            }
        }
    }

    private static bool IsSamePod(EndpointDraft a, EndpointDraft b) =>
        a.Owner.Cluster == b.Owner.Cluster && a.Owner.Namespace == b.Owner.Namespace
        && (a.PodName == b.PodName || a.PodName == a.Address || b.PodName == b.Address);
}
