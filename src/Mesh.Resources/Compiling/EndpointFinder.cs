using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Finds the endpoints of an InferencePool: the pods and slices of its cluster and namespace that its selector takes, on each target port.</summary>
internal sealed class EndpointFinder
{
    private readonly ILookup<(string Cluster, string Namespace), Pod> _pods;
    private readonly ILookup<(string Cluster, string Namespace), EndpointSlice> _slices;
    private readonly Dictionary<(string Cluster, string Namespace, string Address), string> _zones = [];

    public EndpointFinder(ResourceSet resources)
    {
        _pods = resources.Of<Pod>().ToLookup(p => (p.Cluster, p.Namespace));
        _slices = resources.Of<EndpointSlice>().ToLookup(s => (s.Cluster, s.Namespace));
        foreach (var slice in resources.Of<EndpointSlice>())
        {
            foreach (var endpoint in slice.Endpoints.Where(e => e.Zone is not null))
            {
                foreach (var address in endpoint.Addresses) _zones.TryAdd((slice.Cluster, slice.Namespace, address.Value), endpoint.Zone!);
            }
        }
    }

    /// <summary>Endpoints in the order of the manifests; one that both a pod and a slice declare is listed once.</summary>
    public List<EndpointDraft> Find(InferencePool pool, ClusterConfig cluster)
    {
        var found = new List<EndpointDraft>();
        foreach (var pod in _pods[(pool.Cluster, pool.Namespace)].Where(p => !p.IsGone && KubernetesNames.Selects(pool.Selector, p.Header.Labels)))
        {
            if (pod.Address is null) continue;
            foreach (var port in pool.TargetPorts)
                found.Add(
                    new EndpointDraft(pod.Address.Value, port.Value, Zone(pod, pod.Address.Value, cluster), pod.Name, pod, pod.Address.At));
        }

        foreach (var slice in _slices[(pool.Cluster, pool.Namespace)].Where(s => KubernetesNames.Selects(pool.Selector, s.Header.Labels)))
            AddSlice(slice, pool, cluster, found);
        return found;
    }

    private void AddSlice(EndpointSlice slice, InferencePool pool, ClusterConfig cluster, List<EndpointDraft> found)
    {
        foreach (var endpoint in slice.Endpoints.Where(e => !e.IsTerminating))
        {
            foreach (var address in endpoint.Addresses)
            {
                foreach (var port in pool.TargetPorts.Where(p => slice.Ports.IsEmpty || slice.Ports.Any(s => s.Number == p.Value)))
                {
                    var isKnown = found.Exists(
                        e => e.Address == address.Value && e.Port == port.Value
                            && (endpoint.PodName is null || e.PodName == endpoint.PodName || e.PodName == e.Address));
                    if (isKnown) continue;
                    var zone = endpoint.Zone ?? Zone(slice, address.Value, cluster);
                    found.Add(new EndpointDraft(address.Value, port.Value, zone, endpoint.PodName ?? address.Value, slice, address.At));
                }
            }
        }
    }

    private string Zone(Resource owner, string address, ClusterConfig cluster) =>
        _zones.GetValueOrDefault((owner.Cluster, owner.Namespace, address)) ?? cluster.Zone;
}
