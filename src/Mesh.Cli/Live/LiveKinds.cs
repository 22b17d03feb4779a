using System.Text.Json;
using static Mesh.Cli.Live.Field;

namespace Mesh.Cli.Live;

/// <summary>Every kind that <c>get</c> and <c>describe</c> know, with the columns of its table.</summary>
internal static class LiveKinds
{
    /// <summary>All of them.</summary>
    public static LiveKind[] All { get; } =
    [
        new()
        {
            Plural = "pools", Singular = "pool", Short = ["po"], Path = "/api/v1/pools",
            Name = i => Field.Text(i, "id"), Aliases = i => [Field.Text(i, "name")], Namespace = i => Field.Text(i, "namespace"),
            Columns =
            [
                Text("NAME", "id"), Of("READY", "readyEndpoints", "endpoints"), Number("IN-FLIGHT", "inFlightRequests"), Number("REQ/S", "requestsPerSecond", 1), Number("QUEUED", "queuedRequests"),
                Percent("FULL", "fullness"), Ms("TTFT-P50", "timeToFirstToken.p50Ms"), Ms("TTFT-P95", "timeToFirstToken.p95Ms"),
                Ms("TPOT-P50", "timePerOutputToken.p50Ms", true), Ms("TPOT-P95", "timePerOutputToken.p95Ms", true), Number("LEASES", "leases", 0, true), Text("PROFILE", "profile", true),
                Number("EPOCH", "epoch", 0, true),
            ],
        },
        new()
        {
            Plural = "backends", Singular = "backend", Short = ["be"], Path = "/api/v1/backends",
            Name = i => Field.Text(i, "id"), Aliases = i => [$"{Field.Text(i, "pool")}/{Field.Text(i, "id")}"], Namespace = PoolNamespace,
            Columns =
            [
                Text("POOL", "pool"), Text("NAME", "id"), Text("REGION", "region"), Of("READY", "readyEndpoints", "endpoints"), Number("IN-FLIGHT", "inFlightRequests"), Number("REQ/S", "requestsPerSecond", 1),
                new("TARGET", static (i, _) => Target(i)), Percent("FULL", "fullness"), Percent("KV", "kvUtilizationRatio"), Ms("TTFT-P95", "timeToFirstToken.p95Ms"),
                Text("MODE", "mode", true), Text("PREFERENCE", "preference", true), Percent("SCALER", "capacityScaler", true), Number("WAITING", "waitingRequests", 0, true),
                Ms("TTFT-P50", "timeToFirstToken.p50Ms", true), Ms("TPOT-P50", "timePerOutputToken.p50Ms", true), Ms("TPOT-P95", "timePerOutputToken.p95Ms", true), Text("AUTO-DRAINED", "drained", true),
            ],
        },
        new()
        {
            Plural = "endpoints", Singular = "endpoint", Short = ["ep"], Path = "/api/v1/endpoints",
            Name = i => Field.Text(i, "address"), Aliases = i => [Field.Text(i, "pod")], Namespace = PoolNamespace,
            Columns =
            [
                Text("ADDRESS", "address"), Text("POD", "pod"), Text("CLUSTER", "cluster"), Text("STATE", "state"), Number("IN-FLIGHT", "inFlightRequests"), Number("TOKENS", "inFlightTokens"),
                Number("WAITING", "waitingRequests"), Percent("KV", "kvUtilizationRatio"), Percent("PREFIX-HITS", "prefixHitRatio"), Age("SAMPLE", "sampleAgeSeconds"),
                Text("POOL", "pool", true), Text("REGION", "region", true), Text("ZONE", "zone", true), Number("RUNNING", "engineRunningRequests", 0, true), Number("ENGINE-QUEUE", "engineWaitingRequests", 0, true),
                Ms("PREDICTED-WAIT", "predictedWaitMs", true), Number("TOTAL", "totalRequests", 0, true), Number("EJECTIONS", "ejections", 0, true), Text("CACHE", "cacheKnowledge", true), ListOf("MODELS", "models", true),
            ],
        },
        new()
        {
            Plural = "regions", Singular = "region", Short = ["rg"], Path = "/api/v1/regions", Name = i => Field.Text(i, "name"),
            Columns =
            [
                Text("NAME", "name"), Text("LINK", "link"), Of("READY", "readyEndpoints", "endpoints"), Number("IN-FLIGHT", "inFlightRequests"), Number("REQ/S", "requestsPerSecond", 1), Percent("FULL", "fullness"),
                Ms("RTT", "roundTripMs"), Number("CREDITS", "creditRequests"), ListOf("CLUSTERS", "clusters", true), new("REPORT", static (i, _) => Seconds(i, "reportAgeSeconds")) { IsWide = true, IsAge = true },
            ],
        },
        new()
        {
            Plural = "clusters", Singular = "cluster", Short = ["cl"], Path = "/api/v1/clusters", Name = i => Field.Text(i, "name"),
            Columns =
            [
                Text("NAME", "name"), Text("REGION", "region"), Of("READY", "readyEndpoints", "endpoints"), Number("IN-FLIGHT", "inFlightRequests"), Number("REQ/S", "requestsPerSecond", 1), Percent("FULL", "fullness"),
                Text("ZONE", "zone", true), Text("CONFIG", "configCluster", true), ListOf("POOLS", "pools", true), Text("LABELS", "labels", true),
            ],
        },
        new()
        {
            Plural = "objectives", Singular = "objective", Short = ["ob"], Path = "/api/v1/objectives",
            Name = i => $"{Field.Text(i, "namespace")}/{Field.Text(i, "name")}", Aliases = i => [Field.Text(i, "name")], Namespace = i => Field.Text(i, "namespace"),
            Columns = [Text("NAMESPACE", "namespace"), Text("NAME", "name"), Number("PRIORITY", "priority"), Text("POOL", "pool"), Number("QUEUED", "queuedRequests"), Text("POOL-EXISTS", "poolExists", true)],
        },
        new()
        {
            Plural = "leases", Singular = "lease", Path = "/api/v1/leases", HasPages = false, Name = i => Field.Text(i, "id"), Namespace = PoolNamespace,
            Columns =
            [
                Text("ID", "id"), Text("POOL", "pool"), Text("ENDPOINT", "endpoint"), Age("AGE", "ageSeconds"), Number("PROMPT", "promptTokens"), Number("OUTPUT", "outputTokens"), Text("ANSWERING", "firstByteSeen"),
                Text("SESSION", "session", true), Number("CACHED", "cachedTokens", 0, true), Text("ADAPTER", "adapter", true),
            ],
        },
        new()
        {
            Plural = "decisions", Singular = "decision", Short = ["dec"], Path = "/api/v1/decisions", Items = "decisions", HasPages = false, Name = i => Field.Text(i, "request_id"), Namespace = PoolNamespace,
            Columns =
            [
                new("AGE", static (i, now) => Since(i, "time", now)) { IsAge = true }, Text("REQUEST", "request_id"), Text("POOL", "pool"), Text("OUTCOME", "outcome"), Text("REASON", "reason"), Text("ENDPOINT", "endpoint"),
                Ms("WAITED", "waited_ms"), Text("MODEL", "model", true), Number("PRIORITY", "priority", 0, true), Number("PROMPT", "prompt_tokens", 0, true), Text("BACKEND", "backend", true), Text("PROFILE", "profile", true),
            ],
        },
        new()
        {
            Plural = "drains", Singular = "drain", Short = ["dr"], Path = "/api/v1/drains", Items = "drains", HasPages = false, Name = i => $"{Field.Text(i, "kind")}/{Field.Text(i, "name")}", Aliases = i => [Field.Text(i, "name")],
            Columns =
            [
                Text("KIND", "kind"), Text("NAME", "name"), Text("POOL", "pool"), Number("ENDPOINTS", "endpoints"), Number("IN-FLIGHT", "inFlightRequests"), new("AGE", static (i, now) => Since(i, "since", now)) { IsAge = true },
                Text("BY", "by"), Text("REASON", "reason"), Text("SINCE", "since", true),
            ],
        },
    ];

    /// <summary>The kind of a word; null for another.</summary>
    public static LiveKind? Find(string word) => All.FirstOrDefault(k => k.Is(word.ToLowerInvariant()));

    /// <summary>What a backend's policy aims at.</summary>
    private static string Target(JsonElement backend)
    {
        if (Double(backend, "targetInFlightRequests") is not null) return $"{Field.Number(backend, "targetInFlightRequests")} in flight";
        if (Double(backend, "targetRequestsPerSecond") is not null) return $"{Field.Number(backend, "targetRequestsPerSecond", 1)} req/s";
        if (Double(backend, "targetUtilizationRatio") is not null) return $"{Field.Percent(backend, "targetUtilizationRatio")} used";
        return At(backend, "utilizations") is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0
            ? string.Join(",", list.EnumerateArray().Select(u => $"{Field.Percent(u, "targetRatio")} {Field.Text(u, "metric")}"))
            : None;
    }

    private static string PoolNamespace(JsonElement item) => Field.Text(item, "pool").Split('/')[0];

    private static LiveColumn Text(string header, string path, bool wide = false) => new(header, (i, _) => Field.Text(i, path)) { IsWide = wide };

    private static LiveColumn ListOf(string header, string path, bool wide = false) => new(header, (i, _) => Field.List(i, path)) { IsWide = wide };

    private static LiveColumn Number(string header, string path, int places = 0, bool wide = false) => new(header, (i, _) => Field.Number(i, path, places)) { IsWide = wide };

    private static LiveColumn Percent(string header, string path, bool wide = false) => new(header, (i, _) => Field.Percent(i, path)) { IsWide = wide };

    private static LiveColumn Ms(string header, string path, bool wide = false) => new(header, (i, _) => Milliseconds(i, path)) { IsWide = wide };

    private static LiveColumn Of(string header, string part, string whole) => new(header, (i, _) => Field.Of(i, part, whole));

    private static LiveColumn Age(string header, string path) => new(header, (i, _) => Seconds(i, path)) { IsAge = true };
}
