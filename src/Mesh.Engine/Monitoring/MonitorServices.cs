using Mesh.Engine.Http;
using Mesh.Engine.Probing;
using Mesh.Engine.Telemetry;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Monitoring;

/// <summary>What all monitors of an engine share.</summary>
internal sealed record MonitorServices(
    EngineOptions Options, TimeProvider Time, EngineHttpHandlers Handlers, EndpointProber Prober, EngineMetrics Metrics, ILogger Logger);
