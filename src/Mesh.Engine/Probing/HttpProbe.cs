using System.Net;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;

namespace Mesh.Engine.Probing;

/// <summary>HTTP, HTTPS and HTTP2: an answer of 200, with the expected text in the first 1,024 bytes of its body if the check asks for one.</summary>
internal sealed class HttpProbe(EngineHttpHandlers handlers) : IProbe
{
    private const int ExaminedBytes = 1024;

    public async Task<IoFailure> AskAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken)
    {
        using var request = CreateRequest(endpoint, check);
        var client = check.ProxyV1 ? handlers.ProxiedProbes : handlers.Probes;
        using var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
            return new IoFailure(IoFailureKind.Status, $"{check.RequestPath} answered {(int)response.StatusCode}");

        if (string.IsNullOrEmpty(check.ExpectedResponse)) return default;
        return await BeginsWithAsync(response, Encoding.UTF8.GetBytes(check.ExpectedResponse), cancellationToken).ConfigureAwait(false)
            ? default
            : new IoFailure(IoFailureKind.Malformed, $"the first 1,024 bytes of {check.RequestPath} lack '{check.ExpectedResponse}'");
    }

    private HttpRequestMessage CreateRequest(EndpointId endpoint, HealthCheckConfig check)
    {
        // Another port of the pod is another server, which need not speak TLS.
        var security = check.Port is null ? handlers.SecurityOf(endpoint) : null;
        var scheme = check.Type == HealthCheckType.Https || security is not null ? "https" : "http";
        var request = new HttpRequestMessage(HttpMethod.Get, EndpointUri.Create(endpoint, scheme, check.Port, check.RequestPath))
        {
            // Without TLS, HTTP/2 has to be known beforehand: an exact version sends its preface at once.
            Version = check.Type == HealthCheckType.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("User-Agent", "mesh-health-check");
        if (security is not null) request.Options.Set(EngineHttpHandlers.Security, security);
        if (check.Type != HealthCheckType.Http2) request.Headers.ConnectionClose = true;
        if (!string.IsNullOrEmpty(check.Host)) request.Headers.Host = check.Host;
        return request;
    }

    private static async Task<bool> BeginsWithAsync(HttpResponseMessage response, byte[] expected, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[ExaminedBytes];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0) return false;
            length += read;
            // A slow body need not come whole once the text is there.
            if (buffer.AsSpan(0, length).IndexOf(expected) >= 0) return true;
        }

        return false;
    }
}
