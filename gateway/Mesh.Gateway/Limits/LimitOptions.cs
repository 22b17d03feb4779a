using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Limits;

/// <summary>What one client, and all of them together, may take: section <c>Mesh:Limits</c>. The largest body is <c>Mesh:MaxBodyBytes</c>.</summary>
internal sealed record LimitOptions
{
    /// <summary>Connections of clients, 1–1,000,000; those beyond are closed at once.</summary>
    [Range(1, 1_000_000)]
    public int Connections { get; set; } = 65_536;

    /// <summary>Inference requests under way, 1–1,000,000; those beyond are answered 503.</summary>
    [Range(1, 1_000_000)]
    public int ConcurrentRequests { get; set; } = 32_768;

    /// <summary>Bytes of all request bodies in memory, 1 MiB–1 TiB; requests beyond are answered 503.</summary>
    [Range(1L << 20, 1L << 40)]
    public long BufferedBodyBytes { get; set; } = 2L << 30;

    /// <summary>Bytes of the request line, 256–1 MiB; 414 beyond.</summary>
    [Range(256, 1 << 20)]
    public int RequestLineBytes { get; set; } = 8 << 10;

    /// <summary>Bytes of all headers of a request, 1 KiB–1 MiB; 431 beyond.</summary>
    [Range(1 << 10, 1 << 20)]
    public int HeaderBytes { get; set; } = 32 << 10;

    /// <summary>Headers of a request, 10–10,000; 431 beyond.</summary>
    [Range(10, 10_000)]
    public int HeaderCount { get; set; } = 100;

    /// <summary>Time for request line and headers, 1 s–10 min; 408 beyond.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for the whole body, 1 s–24 h; 408 beyond.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Least bytes of a body in a second, once <see cref="Grace"/> is over, 0–1 GiB; 0 sets none. 408 below.</summary>
    [Range(0, 1 << 30)]
    public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>Least bytes of an answer that a client must take in a second, once <see cref="Grace"/> is over, 0–1 GiB; 0 sets none. Below, its connection is closed.</summary>
    [Range(0, 1 << 30)]
    public int MinAnswerBytesPerSecond { get; set; } = 240;

    /// <summary>Time before the two rates count, 2 s–10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time that a connection may be idle between requests, 1 s–24 h; then it is closed.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>Time for a TLS handshake, 1 s–5 min; then the connection is closed.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests at a time on one HTTP/2 connection, 1–100,000; those beyond wait at the client or are reset.</summary>
    [Range(1, 100_000)]
    public int StreamsPerConnection { get; set; } = 100;
}
