using Mesh.Gateway.Decisions;

namespace Mesh.Gateway.Inference;

/// <summary>The paths that the gateway serves; every other is unknown, the model servers' administrative ones above all.</summary>
internal static class ApiPaths
{
    /// <summary>What a path is.</summary>
    public static ApiKind Find(string? path) => path switch
    {
        "/v1/completions" or "/v1/chat/completions" => ApiKind.Inference,
        "/v1/models" => ApiKind.ModelList,
        "/healthz" => ApiKind.Health,
        "/readyz" => ApiKind.Ready,
        "/metrics" => ApiKind.Metrics,
        DecisionPages.Path => ApiKind.Decisions,
        not null when path.StartsWith(DecisionPages.Path + "/", StringComparison.Ordinal) => ApiKind.Decisions,
        _ => ApiKind.Unknown,
    };

    /// <summary>True when the kind takes the method.</summary>
    public static bool Takes(ApiKind kind, string method) =>
        kind == ApiKind.Inference ? HttpMethods.IsPost(method) : HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    /// <summary>Value of <c>Allow</c>.</summary>
    public static string Allowed(ApiKind kind) => kind == ApiKind.Inference ? "POST" : "GET, HEAD";
}

/// <summary>What a path is.</summary>
internal enum ApiKind
{
    /// <summary>Not served.</summary>
    Unknown,

    /// <summary>Goes to a model server.</summary>
    Inference,

    /// <summary>List of models.</summary>
    ModelList,

    /// <summary>Liveness.</summary>
    Health,

    /// <summary>Readiness.</summary>
    Ready,

    /// <summary>Prometheus page.</summary>
    Metrics,

    /// <summary>Decisions that were kept.</summary>
    Decisions,
}
