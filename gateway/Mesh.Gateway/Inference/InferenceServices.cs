using Mesh.Core.HttpRouting;
using Mesh.Engine;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Telemetry;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference;

/// <summary>What the request path works with; made once per process.</summary>
internal sealed record InferenceServices(
    GatewayOptions Options,
    ActiveConfiguration Configuration,
    IMeshEngine Engine,
    IUpstreamClient Upstream,
    UpstreamKeys Keys,
    GatewayMetrics Metrics,
    RequestTelemetry Telemetry,
    RequestDraw Draw,
    ExplainAccess Explain,
    TimeProvider Time,
    ILoggerFactory Loggers)
{
    /// <summary>Clients towards peer regions; null without peers.</summary>
    public PeerClients? Peers { get; init; }
}
