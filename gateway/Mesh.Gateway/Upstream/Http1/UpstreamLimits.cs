namespace Mesh.Gateway.Upstream.Http1;

/// <summary>Bounds of the client towards model servers.</summary>
internal sealed record UpstreamLimits
{
    /// <summary>Time to connect; above zero.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time from the request's last byte to the answer's head; zero sets no limit of its own, the request's remains. Whole seconds.</summary>
    public TimeSpan HeadTimeout { get; init; }

    /// <summary>Time in which at least one byte of a body must come; zero sets no limit. Whole seconds.</summary>
    public TimeSpan IdleTimeout { get; init; }

    /// <summary>Idle connections kept for one endpoint; what is beyond is closed.</summary>
    public int MaxIdlePerEndpoint { get; init; } = 512;

    /// <summary>Age at which an idle connection is closed, in whole seconds. Below the 5 s after which vLLM's server closes it.</summary>
    public TimeSpan MaxIdleAge { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Largest head of an answer in bytes.</summary>
    public int MaxHeadBytes { get; init; } = 64 * 1024;
}
