namespace Mesh.Gateway.Upstream;

/// <summary>Who speaks HTTP to the endpoints.</summary>
internal enum UpstreamKind
{
    /// <summary>The gateway's own client: HTTP/1.1 in clear text.</summary>
    Sockets,

    /// <summary>The framework's client, HTTP/1.1 in clear text.</summary>
    Framework,

    /// <summary>The framework's client, HTTP/2 in clear text with prior knowledge: every endpoint without TLS must speak it.</summary>
    Http2,
}
