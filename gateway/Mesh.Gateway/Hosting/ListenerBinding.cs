using System.Net;

namespace Mesh.Gateway.Hosting;

/// <summary>One address that this process opens.</summary>
/// <param name="Port">Port of the listener in the manifests; 0 for the administrative address.</param>
/// <param name="Address">Where it is opened.</param>
/// <param name="IsTls">True for HTTPS.</param>
/// <param name="IsHttp2">True for HTTP/2 alone, in clear text.</param>
internal readonly record struct ListenerBinding(int Port, IPEndPoint Address, bool IsTls = false, bool IsHttp2 = false)
{
    /// <summary>True for the administrative address.</summary>
    public bool IsAdmin => Port == 0;

    /// <summary>As Kestrel's configuration has it.</summary>
    public string Url => $"{(IsTls ? "https" : "http")}://{Address}";
}
