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
        foreach (var (name, page) in Metrics(world, endpoint.Owner).SelectMany(m => m.Source.Pages.Select(p => (m.Metric.Name, p))))
        {
            // A page on one serving port stands for the same page on each: a pod that serves on several ports runs one model server on each.
            var port = ports.Any(p => p.Value == page.Port) ? endpoint.Port : page.Port;
            if (!exports.TryGetValue((port, page.Path), out var list)) exports.Add((port, page.Path), list = []);
            // The same export of two AutoscalingMetrics is one, of the first.
            list.AddRange(page.Exports.Where(e => !list.Exists(known => known with { Source = "" } == e)).Select(e => e with { Source = name }).ToList());
        }

        return [.. exports.Select(p => new MetricsPageConfig(p.Key.Port, p.Key.Path, [.. p.Value]))];
    }

    /// <summary>Sources of all AutoscalingMetrics that take a pod or slice, in the order of their names.</summary>
    public static IEnumerable<MetricSource> Sources(World world, Resource owner) => Metrics(world, owner).Select(m => m.Source);

    private static IEnumerable<(AutoscalingMetric Metric, MetricSource Source)> Metrics(World world, Resource owner) =>
        world.Resources.Of<AutoscalingMetric>()
            .Where(m => m.Cluster == owner.Cluster && m.Namespace == owner.Namespace)
            .SelectMany(m => m.Sources.Select(s => (m, s)))
            .Where(s => KubernetesNames.Selects(s.s.Selector, owner.Header.Labels));
}
