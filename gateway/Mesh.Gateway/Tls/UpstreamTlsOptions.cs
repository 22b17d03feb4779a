namespace Mesh.Gateway.Tls;

/// <summary>TLS towards the endpoints of a pool (<c>namespace/name</c>), of a cluster, or of all (<c>*</c>): section <c>Mesh:UpstreamTls:NAME</c>; the first of these that is there holds.</summary>
internal sealed record UpstreamTlsOptions
{
    /// <summary>PEM file of the authorities that are trusted, and no others; unset means those of the machine. Watched.</summary>
    public string? Authority { get; set; }

    /// <summary>PEM file of the gateway's own certificate, then those that lead to its authority; unset shows none. Watched.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file of its private key, not encrypted; watched.</summary>
    public string? Key { get; set; }

    /// <summary>Name that is asked for (SNI), that the certificate must have and that is sent as <c>Host</c>; unset means the endpoint's address, and the client's <c>Host</c>.</summary>
    public string? Hostname { get; set; }

    /// <summary>True to speak HTTP/2 where the endpoint can; false, the default, to speak HTTP/1.1.</summary>
    public bool Http2 { get; set; }
}
