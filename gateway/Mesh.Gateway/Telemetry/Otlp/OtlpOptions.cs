using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Telemetry.Otlp;

/// <summary>Where telemetry goes by OTLP. OpenTelemetry's own environment variables say the same; these options win over them.</summary>
internal sealed record OtlpOptions
{
    /// <summary>
    /// Base address of the receiver, for example <c>http://collector:4318</c>; unset leaves it to <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, and nothing is
    /// exported where that is unset too.
    /// </summary>
    public string? Endpoint { get; set; }

    /// <summary><c>http/protobuf</c> or <c>grpc</c>; unset leaves it to <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, and means <c>http/protobuf</c> where that is unset too.</summary>
    [RegularExpression("http/protobuf|grpc")]
    public string? Protocol { get; set; }

    /// <summary>Headers as <c>name=value,name=value</c>, for a key of the receiver's.</summary>
    public string? Headers { get; set; }

    /// <summary>Time between two exports of metrics, 100 ms–1 h; unset leaves it to <c>OTEL_METRIC_EXPORT_INTERVAL</c>, 1 min where that is unset too.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan? MetricInterval { get; set; }

    /// <summary>
    /// Share of traces that are begun here and recorded, 0–1; traces that clients began follow the client's flag. Unset leaves it to
    /// <c>OTEL_TRACES_SAMPLER</c>, all of them where that is unset too.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? TraceRatio { get; set; }
}
