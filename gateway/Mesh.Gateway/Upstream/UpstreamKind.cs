namespace Mesh.Gateway.Upstream;

/// <summary>Who speaks HTTP to the endpoints.</summary>
internal enum UpstreamKind
{
    /// <summary>The gateway's own client: HTTP/1.1 in clear text.</summary>
    Sockets,

    /// <summary>The framework's client.</summary>
    Framework,
}
