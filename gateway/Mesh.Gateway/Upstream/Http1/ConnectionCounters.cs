using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>Counts what becomes of connections to endpoints. Each that is opened is closed once, for one reason.</summary>
internal sealed class ConnectionCounters(GatewayMetrics metrics)
{
    /// <summary>Opened.</summary>
    public Counter Opened { get; } = metrics.UpstreamOpened.With();

    /// <summary>Idle ones that a request took.</summary>
    public Counter Reused { get; } = metrics.UpstreamReused.With();

    /// <summary>Idle for too long.</summary>
    public Counter IdleAge { get; } = metrics.UpstreamClosed.With("idle_age");

    /// <summary>Closed by the endpoint while idle, or found to talk out of turn.</summary>
    public Counter IdleEnded { get; } = metrics.UpstreamClosed.With("idle_ended");

    /// <summary>As many are idle as are kept.</summary>
    public Counter IdleLimit { get; } = metrics.UpstreamClosed.With("idle_limit");

    /// <summary>The answer said so, or had more bytes than it may.</summary>
    public Counter NotKept { get; } = metrics.UpstreamClosed.With("not_kept");

    /// <summary>Its request was given up.</summary>
    public Counter Aborted { get; } = metrics.UpstreamClosed.With("aborted");

    /// <summary>It broke, or what came was no HTTP.</summary>
    public Counter Broken { get; } = metrics.UpstreamClosed.With("broken");

    /// <summary>The gateway stops.</summary>
    public Counter Shutdown { get; } = metrics.UpstreamClosed.With("shutdown");
}
