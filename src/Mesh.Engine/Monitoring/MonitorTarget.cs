using Mesh.Core.Config;

namespace Mesh.Engine.Monitoring;

/// <summary>What a monitor looks after, and how. Replaced as a whole when the configuration changes.</summary>
/// <param name="Pool">The endpoint's pool.</param>
/// <param name="Endpoint">The endpoint and its pages of metrics.</param>
/// <param name="HealthCheck">How it is probed.</param>
internal sealed record MonitorTarget(PoolId Pool, EndpointConfig Endpoint, HealthCheckConfig HealthCheck);
