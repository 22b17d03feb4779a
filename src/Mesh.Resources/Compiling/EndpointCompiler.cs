using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>One endpoint with the metrics pages that AutoscalingMetrics of its cluster and namespace name for it.</summary>
internal static class EndpointCompiler
{
    public static EndpointConfig Compile(World world, PoolDraft pool, EndpointDraft endpoint) => new()
    {
        Id = new EndpointId(endpoint.Text),
        PodName = endpoint.PodName,
        MetricsPages = Pages(world, pool, endpoint),
    };

    /// <summary>Pages ordered by port and path, each export name once: the first metric that claims it.</summary>
    public static ImmutableArray<MetricsPageConfig> Pages(World world, PoolDraft pool, EndpointDraft endpoint)
    {
        var ports = pool.Members.First(m => m.Cluster == endpoint.Owner.Cluster).TargetPorts;
        var exports = new SortedDictionary<(int Port, string Path), List<MetricExportConfig>>();
        foreach (var page in Sources(world, endpoint.Owner).SelectMany(s => s.Pages))
        {
            // A page on one serving port stands for the same page on each: a pod that serves on several ports runs one model server on each.
            var port = ports.Any(p => p.Value == page.Port) ? endpoint.Port : page.Port;
            if (!exports.TryGetValue((port, page.Path), out var list)) exports.Add((port, page.Path), list = []);
            list.AddRange(page.Exports.Where(e => !list.Contains(e)));
        }

        return [.. exports.Select(p => new MetricsPageConfig(p.Key.Port, p.Key.Path, [.. p.Value]))];
    }

    /// <summary>Sources of all AutoscalingMetrics that take a pod or slice, in the order of their names.</summary>
    public static IEnumerable<MetricSource> Sources(World world, Resource owner) =>
        world.Resources.Of<AutoscalingMetric>()
            .Where(m => m.Cluster == owner.Cluster && m.Namespace == owner.Namespace)
            .SelectMany(m => m.Sources)
            .Where(s => KubernetesNames.Selects(s.Selector, owner.Header.Labels));
}
