using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Tests.Golden;

/// <summary>
/// What a case is compared by: every finding in full, the settings of each pool and backend with their origin, the targets by formula,
/// and each condition that is false. Some cases also show the whole configuration.
/// </summary>
internal static class GoldenDocument
{
    public static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(), new AsText<BackendId>(), new AsText<PoolId>(), new AsText<EndpointId>() },
    };

    public static string Of(LoadResult result, bool withConfig)
    {
        // What has no effect yet changes from week to week and is tested by itself.
        var findings = result.Diagnostics.Where(d => d.Code != DiagnosticCodes.NoEffectYet);
        var document = new JsonObject
        {
            ["diagnostics"] = new JsonArray([.. findings.Select(d => (JsonNode)d.ToString())]),
            ["conditions"] = new JsonArray([.. result.Statuses.SelectMany(s => s.Conditions.Where(c => !c.Status)
                .Select(c => (JsonNode)$"{s.Cluster} {s.Kind} {s.Namespace}/{s.Name}: {c.Type}=False {c.Reason}"))]),
        };
        var pools = new JsonObject();
        foreach (var pool in result.Effective)
        {
            var node = new JsonObject();
            foreach (var setting in pool.Settings.Where(s => s.Origin.Policy is not null))
                node[setting.Name] = $"{setting.Value} <- {setting.Origin}";
            foreach (var backend in pool.Backends)
            {
                var settings = new JsonArray([.. backend.Settings.Where(s => s.Origin.Policy is not null).Select(s => (JsonNode)$"{s.Name}: {s.Value} <- {s.Origin}")]);
                foreach (var target in backend.Capacity) settings.Add((JsonNode)$"target {target}");
                node[backend.Id.ToString()] = settings;
            }

            pools[pool.Id.ToString()] = node;
        }

        document["effective"] = result.Config is null ? null : pools;
        if (withConfig && result.Config is { } config) document["config"] = Config(config);
        return document.ToJsonString(Json) + "\n";
    }

    /// <summary>The configuration. Scheduling, flow control and cache events are shown where a pool departs from the defaults, which have tests of their own.</summary>
    private static JsonNode Config(MeshConfig config)
    {
        var node = JsonSerializer.SerializeToNode(config, Json)!;
        for (var i = 0; i < config.Pools.Length; i++)
        {
            var pool = node["pools"]![i]!.AsObject();
            if (config.Pools[i].Scheduling == new SchedulingConfig()) pool.Remove("scheduling");
            if (config.Pools[i].FlowControl == new FlowControlSettings()) pool.Remove("flowControl");
            if (config.Pools[i].KvEvents == KvEventsConfig.None) pool.Remove("kvEvents");
        }

        return node;
    }

    private sealed class AsText<T> : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value!.ToString());
    }
}
