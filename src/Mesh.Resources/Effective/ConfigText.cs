using System.Globalization;
using Mesh.Core.Config;

namespace Mesh.Resources.Effective;

/// <summary>
/// Objects of a configuration as named settings, with all that changes what runs; pools' and backends' own settings are
/// <see cref="EffectivePool"/>.
/// </summary>
internal static class ConfigText
{
    public static IEnumerable<(string Name, string Value)> Of(ClusterConfig cluster)
    {
        yield return ("region", cluster.Region);
        yield return ("zone", cluster.Zone);
        yield return ("config cluster", cluster.IsConfigCluster ? "yes" : "no");
        if (cluster.GatewayUrl.Length > 0) yield return ("gateway", cluster.GatewayUrl);
        if (cluster.GatewayName.Length > 0) yield return ("gateway name", cluster.GatewayName);
        foreach (var (key, value) in cluster.Labels) yield return ($"label {key}", value);
    }

    public static IEnumerable<(string Name, string Value)> Of(GatewayConfig gateway)
    {
        yield return ("regions", gateway.Regions.IsEmpty ? "all" : string.Join(", ", gateway.Regions));
        foreach (var l in gateway.Listeners)
        {
            var protocol = l.Protocol.ToString().ToUpperInvariant();
            var value = string.Create(CultureInfo.InvariantCulture, $"{protocol} {l.Port}, host {l.Hostname ?? "any"}");
            yield return ($"listener {l.Name}", value);
        }
    }

    public static IEnumerable<(string Name, string Value)> Of(ObjectiveConfig objective)
    {
        yield return ("priority", objective.Priority.ToString(CultureInfo.InvariantCulture));
        yield return ("pool", objective.PoolName.Length == 0 ? "none" : objective.PoolName);
    }

    /// <summary>Model rewrites of a pool: of each model, or of every other one, what is sent instead.</summary>
    public static IEnumerable<(string Name, string Value)> Rewrites(PoolConfig pool) => pool.ModelRewrites.Select(r => (
        r.Model is null ? "rewrite of every other model" : $"rewrite of model {r.Model}",
        $"{string.Join(", ", r.Targets.Select(Of))} by {r.Source}"));

    /// <summary>Metrics that are scraped for a backend's endpoints.</summary>
    public static IEnumerable<(string Name, string Value)> Metrics(BackendConfig backend)
    {
        var exports = backend.Endpoints.SelectMany(e => e.MetricsPages)
            .SelectMany(p => p.Exports.Select(e => (e.ExportName, Text: string.Create(
            CultureInfo.InvariantCulture, $"{e.MetricName} of :{p.Port}{p.Path}{(e.ForLoadBalancing ? "" : ", for autoscaling alone")}"))));
        return exports.Distinct().GroupBy(e => e.ExportName).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => ($"metric {g.Key}", string.Join("; ", g.Select(e => e.Text).Order(StringComparer.Ordinal))));
    }

    private static string Of(ModelTarget target) => string.Create(CultureInfo.InvariantCulture, $"{target.Model} weight {target.Weight}");
}
