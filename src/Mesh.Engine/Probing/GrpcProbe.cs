using System.Net;
using System.Net.Http.Headers;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;

namespace Mesh.Engine.Probing;

/// <summary>GRPC: the call <c>grpc.health.v1.Health/Check</c> answers that the service is serving.</summary>
internal sealed class GrpcProbe(EngineHttpHandlers handlers) : IProbe
{
    private const string Path = "/grpc.health.v1.Health/Check";
    private const int MaxAnswerBytes = 1024;

    public async Task<IoFailure> AskAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(GrpcHealthMessages.Request(check.GrpcServiceName));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var request = new HttpRequestMessage(HttpMethod.Post, EndpointUri.Create(endpoint, "http", check.Port, Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (!string.IsNullOrEmpty(check.Host)) request.Headers.Host = check.Host;

        var client = check.ProxyV1 ? handlers.ProxiedProbes : handlers.Probes;
        using var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
            return new IoFailure(IoFailureKind.Status, $"the health service answered {(int)response.StatusCode}");

        using var body = await PooledBody.ReadAsync(response, MaxAnswerBytes, cancellationToken).ConfigureAwait(false);
        // A call that fails as a whole has its status among the headers, one that answers has it behind the body.
        if ((StatusOf(response.TrailingHeaders) ?? StatusOf(response.Headers)) is not "0" and var status)
            return new IoFailure(IoFailureKind.Status, $"the health service ended with gRPC status {status ?? "missing"}");
        if (body is null || !GrpcHealthMessages.TryReadStatus(body.Value.Memory.Span, out var serving))
            return new IoFailure(IoFailureKind.Malformed, "the health service's answer makes no sense");
        return serving == GrpcHealthMessages.Serving ? default : new IoFailure(IoFailureKind.Status, $"the service is not serving (status {serving})");
    }

    private static string? StatusOf(HttpHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.FirstOrDefault() : null;
}
