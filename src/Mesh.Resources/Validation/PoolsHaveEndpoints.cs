using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A pool's selector takes at least one pod or slice, and what it takes has addresses and the pool's ports.</summary>
internal sealed class PoolsHaveEndpoints : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var pool in world.Resources.Of<InferencePool>().Where(p => !p.Selector.IsEmpty))
        {
            var owners = world.Resources.Of<Pod>().Where(p => !p.IsGone).Cast<Resource>().Concat(world.Resources.Of<EndpointSlice>())
                .Where(
                    r => r.Cluster == pool.Cluster && r.Namespace == pool.Namespace
                        && KubernetesNames.Selects(pool.Selector, r.Header.Labels))
                .ToList();
            if (owners.Count == 0)
            {
                report.Warning(
                    pool.Header.NameAt, DiagnosticCodes.PoolWithoutEndpoints,
                    $"InferencePool {pool.Header.FullName} selects no pod and no EndpointSlice in namespace {pool.Namespace} of {pool.Cluster}",
                    $"label them {string.Join(", ", pool.Selector.Take(3).Select(l => $"{l.Key}: {l.Value}"))}{(pool.Selector.Count > 3 ? " and so on" : "")}");
            }

            foreach (var pod in owners.OfType<Pod>().Where(p => p.Address is null && report.FirstErrorUnder(p.At) is null))
                report.Info(
                    pod.Header.NameAt, DiagnosticCodes.PodWithoutAddress,
                    $"Pod {pod.Header.FullName} has no status.podIP yet and is no endpoint");
            foreach (var slice in owners.OfType<EndpointSlice>().Where(s => !s.Ports.IsEmpty))
            {
                foreach (var port in pool.TargetPorts.Where(p => slice.Ports.All(s => s.Number != p.Value)))
                    report.Warning(
                        slice.Header.NameAt, DiagnosticCodes.SlicePortMissing,
                        $"EndpointSlice {slice.Header.FullName} has no port {port.Value}, which InferencePool {pool.Header.FullName} targets",
                        "add the port, or leave out ports to mean all");
            }
        }
    }
}
