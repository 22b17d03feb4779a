using Mesh.Gateway.Admin;
using Mesh.Gateway.Dashboard;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.ExternalMetrics;
using Mesh.Gateway.Inference.Apis;

namespace Mesh.Gateway.Inference;

/// <summary>The paths that the gateway serves; every other is unknown, the model servers' administrative ones above all.</summary>
internal static class ApiPaths
{
    /// <summary>Path before the name of one model, which may itself have slashes.</summary>
    public const string ModelPrefix = "/v1/models/";

    /// <summary>What a path is.</summary>
    public static ApiKind Find(string? path) => path switch
    {
        null => ApiKind.Unknown,
        "/v1/models" => ApiKind.ModelList,
        "/healthz" => ApiKind.Health,
        "/readyz" => ApiKind.Ready,
        "/metrics" => ApiKind.Metrics,
        DecisionPages.Path => ApiKind.Decisions,
        not null when path.StartsWith(DecisionPages.Path + "/", StringComparison.Ordinal) => ApiKind.Decisions,
        AdminApi.Prefix => ApiKind.Admin,
        not null when path.StartsWith(AdminApi.Prefix + "/", StringComparison.Ordinal) => ApiKind.Admin,
        DashboardPages.Path => ApiKind.Dashboard,
        not null when path.StartsWith(DashboardPages.Path + "/", StringComparison.Ordinal) => ApiKind.Dashboard,
        not null when ExternalMetricPages.Serves(path) => ApiKind.ExternalMetrics,
        "/v1/realtime" => ApiKind.Realtime,
        _ => FindInference(path),
    };

    /// <summary>True when the kind takes the method.</summary>
    public static bool Takes(ApiKind kind, string method) => kind switch
    {
        ApiKind.Inference => HttpMethods.IsPost(method),
        ApiKind.StoredResponse => HttpMethods.IsGet(method),
        // Whatever the method: the answer is why not.
        ApiKind.Realtime => true,
        // Each path of it says for itself.
        ApiKind.Admin => true,
        _ => HttpMethods.IsGet(method) || HttpMethods.IsHead(method),
    };

    /// <summary>Value of <c>Allow</c>.</summary>
    public static string Allowed(ApiKind kind) => kind switch
    {
        ApiKind.Inference => "POST",
        ApiKind.StoredResponse => "GET",
        _ => "GET, HEAD",
    };

    /// <summary>True when requests of the kind go to a model server.</summary>
    public static bool IsForwarded(ApiKind kind) => kind is ApiKind.Inference or ApiKind.StoredResponse;

    /// <summary>True for pages that tell of the inside or change it: an administrative address has them for itself.</summary>
    public static bool IsAdministrative(ApiKind kind) => kind is ApiKind.Metrics or ApiKind.Decisions or ApiKind.Admin or ApiKind.Dashboard or ApiKind.ExternalMetrics;

    private static ApiKind FindInference(string path)
    {
        if (InferenceApis.Find(path) is { } api) return HttpMethods.IsPost(api.Method) ? ApiKind.Inference : ApiKind.StoredResponse;
        return path.Length > ModelPrefix.Length && path.StartsWith(ModelPrefix, StringComparison.Ordinal) ? ApiKind.Model : ApiKind.Unknown;
    }
}

/// <summary>What a path is.</summary>
internal enum ApiKind
{
    /// <summary>Not served.</summary>
    Unknown,

    /// <summary>Goes to a model server.</summary>
    Inference,

    /// <summary>A response that a model server keeps.</summary>
    StoredResponse,

    /// <summary>List of models.</summary>
    ModelList,

    /// <summary>One model.</summary>
    Model,

    /// <summary>Speech over WebSocket, which is refused.</summary>
    Realtime,

    /// <summary>Liveness.</summary>
    Health,

    /// <summary>Readiness.</summary>
    Ready,

    /// <summary>Prometheus page.</summary>
    Metrics,

    /// <summary>Decisions that were kept.</summary>
    Decisions,

    /// <summary>The administrative API.</summary>
    Admin,

    /// <summary>A file of the dashboard.</summary>
    Dashboard,

    /// <summary>What autoscalers go by.</summary>
    ExternalMetrics,
}
