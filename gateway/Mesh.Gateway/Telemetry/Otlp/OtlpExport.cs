using System.Reflection;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Telemetry.Tracing;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Gateway.Telemetry.Otlp;

/// <summary>
/// Sends metrics and spans to an OTLP receiver, where one is named. Both leave in the background in batches that are bounded; a receiver that
/// does not answer costs requests nothing. Ends with a last export.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private const string Service = "mesh-gateway";
    private const string HttpProtobuf = "http/protobuf";

    // What is left when the process ends gets this long.
    private const int FlushMs = 3000;

    private readonly MeterProvider? _meters;
    private readonly TracerProvider? _traces;

    private OtlpExport(MeterProvider? meters, TracerProvider? traces)
    {
        _meters = meters;
        _traces = traces;
    }

    /// <summary>Starts it; null where neither the options nor the environment name a receiver.</summary>
    /// <param name="options">Options, already validated.</param>
    /// <param name="region">Region that the gateway serves; empty for all of them.</param>
    /// <param name="environment">Reads a variable; null when it is not set.</param>
    /// <exception cref="GatewayConfigurationException">An address is not usable.</exception>
    public static OtlpExport? Start(OtlpOptions options, string region, Func<string, string?> environment)
    {
        if (string.Equals(environment("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        var everything = !string.IsNullOrWhiteSpace(options.Endpoint) || IsSet(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
        var metrics = (everything || IsSet(environment, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")) && !IsNone(environment, "OTEL_METRICS_EXPORTER");
        var traces = (everything || IsSet(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) && !IsNone(environment, "OTEL_TRACES_EXPORTER");
        if (!metrics && !traces) return null;
        var resource = ResourceFor(region);
        return new OtlpExport(
            metrics ? Meters(options, resource, environment) : null,
            traces ? Traces(options, resource, environment) : null);
    }

    public void Dispose()
    {
        _meters?.ForceFlush(FlushMs);
        _meters?.Dispose();
        _traces?.ForceFlush(FlushMs);
        _traces?.Dispose();
    }

    private static MeterProvider Meters(OtlpOptions options, ResourceBuilder resource, Func<string, string?> environment) =>
        Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(MeterBridge.MeterName, EngineInstruments.MeterName)
            .AddOtlpExporter((exporter, reader) =>
            {
                Configure(exporter, options, "metrics", environment);
                if (options.MetricInterval is { } interval) reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)interval.TotalMilliseconds;
            })
            .Build();

    private static TracerProvider Traces(OtlpOptions options, ResourceBuilder resource, Func<string, string?> environment)
    {
        var builder = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(GatewayTracing.SourceName);
        if (options.TraceRatio is { } ratio) builder.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(ratio)));
        return builder.AddOtlpExporter(exporter => Configure(exporter, options, "traces", environment)).Build();
    }

    private static void Configure(OtlpExporterOptions exporter, OtlpOptions options, string signal, Func<string, string?> environment)
    {
        var ofSignal = $"OTEL_EXPORTER_OTLP_{signal.ToUpperInvariant()}_PROTOCOL";
        var protocol = options.Protocol ?? environment(ofSignal) ?? environment("OTEL_EXPORTER_OTLP_PROTOCOL") ?? HttpProtobuf;
        exporter.Protocol = protocol == HttpProtobuf ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        if (options.Headers is { } headers) exporter.Headers = headers;
        if (string.IsNullOrWhiteSpace(options.Endpoint)) return;
        // An address that is set here is taken as it is, so the signal's path is added; gRPC has none.
        var address = exporter.Protocol == OtlpExportProtocol.HttpProtobuf ? $"{options.Endpoint.TrimEnd('/')}/v1/{signal}" : options.Endpoint;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new GatewayConfigurationException($"Mesh:Otlp:Endpoint is '{options.Endpoint}'; it should be like http://collector:4318.");
        }

        exporter.Endpoint = uri;
    }

    private static ResourceBuilder ResourceFor(string region)
    {
        var version = typeof(OtlpExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        var resource = ResourceBuilder.CreateEmpty().AddService(Service, serviceVersion: version).AddTelemetrySdk();
        if (region.Length > 0) resource.AddAttributes([new KeyValuePair<string, object>("mesh.region", region)]);
        // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last and win.
        return resource.AddEnvironmentVariableDetector();
    }

    private static bool IsSet(Func<string, string?> environment, string name) => !string.IsNullOrWhiteSpace(environment(name));

    private static bool IsNone(Func<string, string?> environment, string name) =>
        string.Equals(environment(name), "none", StringComparison.OrdinalIgnoreCase);
}
