using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Federation;

/// <summary>How this gateway is reached by its peers and makes itself known to them: section <c>Mesh:Federation</c>.</summary>
internal sealed record FederationOptions
{
    /// <summary>Name of this gateway among its peers; unset means its region.</summary>
    public string? Name { get; set; }

    /// <summary><c>address:port</c> at which peers are answered; a listener of its own, for nobody else. Required where there are peers.</summary>
    public string? Listen { get; set; }

    /// <summary>Secret that all peers share, at least 16 characters; <c>file:PATH</c> reads it from a file. Never logged.</summary>
    public string? Token { get; set; }

    /// <summary>PEM file of this gateway's certificate towards peers, then those that lead to its authority: with it the link is mutual TLS.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file of its private key, not encrypted.</summary>
    public string? Key { get; set; }

    /// <summary>PEM file of the authorities whose certificates peers must show; required beside a certificate.</summary>
    public string? Authority { get; set; }

    /// <summary>Time between two reports, 10 ms–10 s; the same at all peers.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan ReportInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Directory in which the last good configuration of the config cluster is kept; unset means <c>mesh-state</c> in the working directory.</summary>
    public string? StateDirectory { get; set; }
}

/// <summary>A peer region: section <c>Mesh:Peers:NAME</c>.</summary>
internal sealed record PeerOptions
{
    /// <summary>Base addresses of its federation listener, <c>http://…</c> or <c>https://…</c>, by commas, tried in turn.</summary>
    public string? Url { get; set; }

    /// <summary>Its region; unset means that it is the peer's name.</summary>
    public string? Region { get; set; }

    /// <summary>Secret shared with this peer alone; unset means <c>Mesh:Federation:Token</c>. <c>file:PATH</c> reads it from a file.</summary>
    public string? Token { get; set; }
}
