using System.Buffers;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Upstream;
using Mesh.Gateway.Upstream.Http1;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Upstream.Http1;

/// <summary>A client alone, without a gateway around it.</summary>
internal sealed class UpstreamHarness : IDisposable
{
    public UpstreamHarness(UpstreamLimits? limits = null, TimeProvider? time = null, bool usesLoops = true, GatewayMetrics? metrics = null) =>
        Client = new SocketUpstreamClient(limits ?? new UpstreamLimits(), time ?? TimeProvider.System, usesLoops, metrics);

    public SocketUpstreamClient Client { get; }

    public static UpstreamRequest Request(EndpointId endpoint, string body = "{}", string method = "POST", string target = "/v1/completions", IHeaderDictionary? headers = null)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var rented = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(rented, 0);
        return new UpstreamRequest
        {
            Endpoint = endpoint,
            Method = method,
            Target = target,
            Headers = headers ?? new HeaderDictionary { ["Content-Type"] = "application/json" },
            RequestId = "id-1",
            Body = new PooledBody(rented, bytes.Length),
        };
    }

    /// <summary>Sends and reads to the end: status and text, or what went wrong.</summary>
    public async Task<(int Status, string Text, UpstreamFailure Failure)> ExchangeAsync(UpstreamRequest request, CancellationToken cancellationToken = default)
    {
        var result = await Client.SendAsync(request, cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        if (result.Response is not { } response) return (0, "", result.Failure);
        await using var owned = response;
        var (text, failure) = await ReadAsync(response, cancellationToken);
        return (response.StatusCode, text, failure);
    }

    public static async Task<(string Text, UpstreamFailure Failure)> ReadAsync(IUpstreamResponse response, CancellationToken cancellationToken = default)
    {
        var text = new StringBuilder();
        while (true)
        {
            var chunk = await response.ReadAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
            if (chunk.Bytes.IsEmpty) return (text.ToString(), chunk.Failure);
            text.Append(Encoding.UTF8.GetString(chunk.Bytes.Span));
        }
    }

    public void Dispose() => Client.Dispose();
}
