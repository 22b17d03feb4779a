using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Tls;

/// <summary>Files of one certificate that manifests name: section <c>Mesh:Certificates:NAME</c>.</summary>
internal sealed record CertificateOptions
{
    /// <summary>PEM file: the certificate, then those that lead to its authority. At most 1 MiB; watched.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file of the private key, not encrypted; watched.</summary>
    public string? Key { get; set; }

    /// <summary>PEM file of the authorities whose certificates clients may show; watched.</summary>
    public string? ClientAuthority { get; set; }

    /// <summary>Whether clients show a certificate: <c>None</c>, <c>Optional</c> or <c>Required</c>.</summary>
    [EnumDataType(typeof(ClientCertificates))]
    public ClientCertificates ClientCertificate { get; set; }
}

/// <summary>Whether clients show a certificate.</summary>
internal enum ClientCertificates
{
    /// <summary>They are not asked.</summary>
    None,

    /// <summary>They may; one that is shown must be good.</summary>
    Optional,

    /// <summary>They must.</summary>
    Required,
}
