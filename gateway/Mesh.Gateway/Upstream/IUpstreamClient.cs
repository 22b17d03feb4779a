namespace Mesh.Gateway.Upstream;

/// <summary>
/// Sends requests to model servers. Thread-safe. Implementations differ in how they speak HTTP, not in what they promise: no redirects,
/// cookies, decompression or proxies; no header of their own but <c>Host</c> and <c>Content-Length</c>; failures are values.
/// </summary>
internal interface IUpstreamClient : IDisposable
{
    /// <summary>Sends one request and waits for the head of its answer. A request whose answer has begun is never sent twice.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="cancellationToken">Aborts the request at once: the connection to the endpoint is closed.</param>
    ValueTask<UpstreamResult> SendAsync(UpstreamRequest request, CancellationToken cancellationToken);
}
