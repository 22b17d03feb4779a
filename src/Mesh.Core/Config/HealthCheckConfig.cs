namespace Mesh.Core.Config;

/// <summary>HealthCheckPolicy as the prober reads it; the defaults probe vLLM's <c>/health</c> on the serving port.</summary>
public sealed record HealthCheckConfig
{
    /// <summary>Protocol of the probe.</summary>
    public HealthCheckType Type { get; init; } = HealthCheckType.Http;

    /// <summary>Time from the start of one probe to the start of the next, 1–300 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time-out of one probe, 1–300 s, at most the interval.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Successes in a row that make an unhealthy endpoint healthy, 1–10.</summary>
    public int HealthyThreshold { get; init; } = 2;

    /// <summary>Failures in a row that make a healthy endpoint unhealthy, 1–10.</summary>
    public int UnhealthyThreshold { get; init; } = 2;

    /// <summary>Probed port; null means the serving port.</summary>
    public int? Port { get; init; }

    /// <summary>Host header; null means the endpoint's address.</summary>
    public string? Host { get; init; }

    /// <summary>Path of HTTP probes.</summary>
    public string RequestPath { get; init; } = "/health";

    /// <summary>Text that must stand in the first 1,024 bytes of the body; null accepts any body.</summary>
    public string? ExpectedResponse { get; init; }

    /// <summary>Text that a TCP probe sends once connected; null sends nothing. The answer must then begin with
    /// <see cref="ExpectedResponse"/>.</summary>
    public string? TcpRequest { get; init; }

    /// <summary>Name of the gRPC service asked for, for GRPC.</summary>
    public string? GrpcServiceName { get; init; }

    /// <summary>Sends a PROXY protocol version 1 line first.</summary>
    public bool ProxyV1 { get; init; }

    /// <summary>Logs every probe's result, not only changes.</summary>
    public bool LogProbes { get; init; }
}

/// <summary><c>config.type</c>.</summary>
public enum HealthCheckType
{
    /// <summary>HTTP/1.1, any 200 answer.</summary>
    Http,

    /// <summary>HTTP over TLS.</summary>
    Https,

    /// <summary>HTTP/2, in clear text with prior knowledge.</summary>
    Http2,

    /// <summary>A TCP connection that opens.</summary>
    Tcp,

    /// <summary>gRPC health checking protocol.</summary>
    Grpc,
}
