using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Engine;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>
/// <c>/apis/external.metrics.k8s.io/v1beta1[/namespaces/{namespace}/{metric}?labelSelector=]</c> in the shape of Kubernetes' external metrics, and the discovery above it. Mistakes are
/// answered as Kubernetes' Status.
/// </summary>
internal sealed class ExternalMetricPages(IMeshEngine engine, ActiveConfiguration configuration, TimeProvider time)
{
    /// <summary>Path of the API's list of resources.</summary>
    public const string Path = "/apis/external.metrics.k8s.io/v1beta1";

    private const string Root = "/apis";
    private const string Group = "external.metrics.k8s.io";
    private const string GroupVersion = "external.metrics.k8s.io/v1beta1";
    private const string VendorPrefix = "autoscaling.gke.io|";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True for the paths that this page answers.</summary>
    public static bool Serves(string path) =>
        path is Root or Root + "/" + Group or Path || path.StartsWith(Path + "/", StringComparison.Ordinal);

    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimEnd('/');
        if (path == Root) return AnswerAsync(context, 200, json => WriteGroups(json, "APIGroupList"));
        if (path == Root + "/" + Group) return AnswerAsync(context, 200, json => WriteGroups(json, "APIGroup"));
        if (path == Path) return AnswerAsync(context, 200, WriteResources);
        var parts = path[(Path.Length + 1)..].Split('/');
        if (parts is not ["namespaces", var space, var name]) return FailAsync(context, 404, "NotFound", $"{path} is not {Path}/namespaces/NAMESPACE/METRIC.");
        if (LabelSelector.Parse(context.Request.Query["labelSelector"], out var mistake) is not { } selector) return FailAsync(context, 400, "BadRequest", mistake);
        return AnswerAsync(context, space, Uri.UnescapeDataString(name), selector);
    }

    private Task AnswerAsync(HttpContext context, string space, string name, LabelSelector selector)
    {
        var metric = name;
        Func<ExternalValue, bool> isExported = static _ => true;
        if (name.StartsWith(VendorPrefix, StringComparison.Ordinal))
        {
            if (name.Split('|') is not [_, { Length: > 0 } source, { Length: > 0 } export]) return FailAsync(context, 404, "NotFound", $"{name} is not {VendorPrefix}AUTOSCALINGMETRIC|METRIC.");
            var pools = ExportedBy(source, export);
            if (pools.Count == 0)
            {
                return FailAsync(
                    context, 404, "NotFound",
                    $"No AutoscalingMetric {source} exports {export}. Exported are: {string.Join(", ", Exports().Select(e => $"{VendorPrefix}{e.Source}|{e.Name}").Distinct().Order(StringComparer.Ordinal))}.");
            }

            metric = export;
            isExported = v => pools.Contains(v.Pool);
        }

        var known = Names();
        if (!known.Contains(metric))
            return FailAsync(context, 404, "NotFound", $"There is no metric {metric}. There are: {string.Join(", ", known)}.");
        var statistic = selector.Mentions("statistic") ? null : ExternalMetricNames.DefaultStatistic(metric);
        // A pool's figure holds its clusters' already: unless they are asked for, nobody adds the two up.
        var wholePools = !selector.Mentions("cluster") && !selector.Mentions("region") && !selector.Mentions("scope");
        var found = ExternalValues.Read(engine.Snapshot())
            .Where(v => v.Metric == metric && v.Pool.Namespace == space && (statistic is null || v.Statistic == statistic) && (!wholePools || v.Cluster is null) && isExported(v) && selector.Matches(v.Label))
            .ToList();
        return AnswerAsync(context, 200, json => WriteValues(json, name, found));
    }

    // The autoscaler's list of names, which must not depend on who reports just now.
    private List<string> Names() => [.. Exports().Select(e => e.Name).Concat(ExternalMetricNames.All).Distinct().Order(StringComparer.Ordinal)];

    private IEnumerable<(PoolId Pool, string Source, string Name)> Exports()
    {
        foreach (var pool in configuration.Current.Config.Pools)
        {
            foreach (var page in pool.Backends.SelectMany(b => b.Endpoints).SelectMany(e => e.MetricsPages))
            {
                foreach (var export in page.Exports) yield return (pool.Id, export.Source, export.ExportName);
            }
        }
    }

    private HashSet<PoolId> ExportedBy(string source, string export) => [.. Exports().Where(e => e.Source == source && e.Name == export).Select(e => e.Pool)];

    private void WriteValues(Utf8JsonWriter json, string name, List<ExternalValue> values)
    {
        json.WriteStartObject();
        json.WriteString("kind"u8, "ExternalMetricValueList");
        json.WriteString("apiVersion"u8, GroupVersion);
        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        json.WriteStartArray("items"u8);
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        foreach (var value in values)
        {
            json.WriteStartObject();
            json.WriteString("metricName"u8, name);
            json.WriteStartObject("metricLabels"u8);
            foreach (var label in (string[])["pool", "scope", "region", "cluster", "statistic"])
            {
                if (value.Label(label) is { } text) json.WriteString(label, text);
            }

            json.WriteEndObject();
            json.WriteString("timestamp"u8, now);
            json.WriteString("value"u8, Quantity.Of(value.Value));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteResources(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kind"u8, "APIResourceList");
        json.WriteString("apiVersion"u8, "v1");
        json.WriteString("groupVersion"u8, GroupVersion);
        json.WriteStartArray("resources"u8);
        var vendor = Exports().Select(e => $"{VendorPrefix}{e.Source}|{e.Name}").Distinct().Order(StringComparer.Ordinal);
        foreach (var name in Names().Concat(vendor))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("singularName"u8, "");
            json.WriteBoolean("namespaced"u8, true);
            json.WriteString("kind"u8, "ExternalMetricValueList");
            json.WriteStartArray("verbs"u8);
            json.WriteStringValue("get");
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteGroups(Utf8JsonWriter json, string kind)
    {
        json.WriteStartObject();
        json.WriteString("kind"u8, kind);
        json.WriteString("apiVersion"u8, "v1");
        if (kind == "APIGroup")
        {
            WriteGroup(json);
        }
        else
        {
            json.WriteStartArray("groups"u8);
            json.WriteStartObject();
            WriteGroup(json);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteGroup(Utf8JsonWriter json)
    {
        json.WriteString("name"u8, Group);
        json.WriteStartArray("versions"u8);
        WriteVersion(json);
        json.WriteEndArray();
        json.WritePropertyName("preferredVersion"u8);
        WriteVersion(json);
    }

    private static void WriteVersion(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("groupVersion"u8, GroupVersion);
        json.WriteString("version"u8, "v1beta1");
        json.WriteEndObject();
    }

    private static Task FailAsync(HttpContext context, int status, string reason, string message) => AnswerAsync(context, status, json =>
    {
        json.WriteStartObject();
        json.WriteString("kind"u8, "Status");
        json.WriteString("apiVersion"u8, "v1");
        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        json.WriteString("status"u8, "Failure");
        json.WriteString("message"u8, message);
        json.WriteString("reason"u8, reason);
        json.WriteNumber("code"u8, status);
        json.WriteEndObject();
    });

    private static Task AnswerAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes, Options)) write(json);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes.WrittenMemory).AsTask();
    }
}
