using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Gateway.Limits;

/// <summary>The limits that the HTTP server keeps by itself.</summary>
internal static class ServerLimits
{
    /// <summary>Sets them.</summary>
    public static void Apply(LimitOptions options, KestrelServerLimits limits)
    {
        // The request path has the limit, and answers in the API's own shape.
        limits.MaxRequestBodySize = null;
        limits.MaxConcurrentConnections = options.Connections;
        limits.MaxRequestLineSize = options.RequestLineBytes;
        limits.MaxRequestHeadersTotalSize = options.HeaderBytes;
        limits.MaxRequestHeaderCount = options.HeaderCount;
        limits.RequestHeadersTimeout = options.HeaderTimeout;
        limits.KeepAliveTimeout = options.IdleTimeout;
        limits.MinRequestBodyDataRate = Rate(options.MinBodyBytesPerSecond, options.Grace);
        limits.MinResponseDataRate = Rate(options.MinAnswerBytesPerSecond, options.Grace);
        limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnection;
        limits.Http2.MaxRequestHeaderFieldSize = Math.Max(options.HeaderBytes, options.RequestLineBytes);
        // A line must fit into what is buffered of a request.
        if (limits.MaxRequestBufferSize < options.RequestLineBytes) limits.MaxRequestBufferSize = options.RequestLineBytes;
        if (limits.MaxRequestBufferSize < options.HeaderBytes) limits.MaxRequestBufferSize = options.HeaderBytes;
    }

    private static MinDataRate? Rate(int bytesPerSecond, TimeSpan grace) => bytesPerSecond == 0 ? null : new MinDataRate(bytesPerSecond, grace);
}
