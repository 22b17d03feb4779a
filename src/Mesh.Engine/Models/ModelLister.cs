using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Models;

/// <summary>Asks one endpoint for its models, <c>GET /v1/models</c>.</summary>
internal sealed class ModelLister(EndpointId endpoint, HttpMessageInvoker client, EngineOptions options, TimeProvider time, EngineMetrics metrics)
{
    /// <summary>The models, or why they could not be had; the list is <c>default</c> then.</summary>
    public async Task<(ImmutableArray<string> Models, IoFailure Failure)> ListAsync(CancellationToken cancellationToken)
    {
        var (models, failure) = await AskAsync(cancellationToken).ConfigureAwait(false);
        metrics.Listed(failure.Kind);
        return (models, failure);
    }

    private async Task<(ImmutableArray<string> Models, IoFailure Failure)> AskAsync(CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ModelListTimeout, time, cancellationToken);
        try
        {
            var security = options.Security?.Invoke(endpoint);
            using var request = new HttpRequestMessage(HttpMethod.Get, EndpointUri.Create(endpoint, security is null ? "http" : "https", null, "/v1/models"))
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            if (security is not null) request.Options.Set(EngineHttpHandlers.Security, security);
            using var response = await client.SendAsync(request, deadline.Token).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                return (default, new IoFailure(IoFailureKind.Status, $"/v1/models answered {(int)response.StatusCode}"));

            using var body = await PooledBody.ReadAsync(response, options.MaxModelListBytes, deadline.Token).ConfigureAwait(false);
            if (body is null) return (default, new IoFailure(IoFailureKind.TooLarge, $"/v1/models is larger than {options.MaxModelListBytes} bytes"));
            return ModelListParser.TryParse(body.Value.Memory, options.MaxModelsPerEndpoint, out var models)
                ? (models, default)
                : (default, new IoFailure(IoFailureKind.Malformed, $"/v1/models is no list of at most {options.MaxModelsPerEndpoint} models"));
        }
        catch (Exception e) when (IoFailure.IsExpected(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (default, IoFailure.From(e, options.ModelListTimeout));
        }
    }
}
