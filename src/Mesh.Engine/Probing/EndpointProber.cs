using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Probing;

/// <summary>Probes endpoints as a health check says, each probe within the check's time-out.</summary>
internal sealed class EndpointProber(EngineHttpHandlers handlers, EngineOptions options, TimeProvider time, EngineMetrics metrics)
{
    private readonly HttpProbe _http = new(handlers);
    private readonly GrpcProbe _grpc = new(handlers);
    private readonly TcpProbe _tcp = new(options.ConnectTimeout, time);

    /// <summary>Probes once; the result has no kind when the endpoint answered as the check asks.</summary>
    public async Task<IoFailure> ProbeAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken)
    {
        var failure = await AskAsync(endpoint, check, cancellationToken).ConfigureAwait(false);
        metrics.Probed(failure.Kind);
        return failure;
    }

    private async Task<IoFailure> AskAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(check.Timeout, time, cancellationToken);
        try
        {
            return await ProbeFor(check.Type).AskAsync(endpoint, check, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IoFailure.IsExpected(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return IoFailure.From(e, check.Timeout);
        }
    }

    private IProbe ProbeFor(HealthCheckType type) => type switch
    {
        HealthCheckType.Tcp => _tcp,
        HealthCheckType.Grpc => _grpc,
        _ => _http,
    };
}
