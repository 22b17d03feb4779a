using System.Net;
using Mesh.Core.Endpoints;

namespace Mesh.Engine.Http;

/// <summary>Addresses of pages on an endpoint's pod.</summary>
internal static class EndpointUri
{
    /// <summary>The address of <paramref name="path"/> on the endpoint's own port, or on another one of the same pod.</summary>
    /// <exception cref="FormatException">The endpoint's id is not <c>ip:port</c>, or the path makes no address.</exception>
    public static Uri Create(EndpointId endpoint, string scheme, int? port, string path)
    {
        var (host, ownPort) = Split(endpoint);
        var text = $"{scheme}://{host}:{port ?? ownPort}{(path.StartsWith('/') ? "" : "/")}{path}";
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) ? uri : throw new FormatException($"'{text}' is not an address.");
    }

    /// <summary>The socket address of the endpoint's own port, or of another one of the same pod.</summary>
    /// <exception cref="FormatException">The endpoint's id is not <c>ip:port</c>.</exception>
    public static EndPoint Socket(EndpointId endpoint, int? port)
    {
        var (host, ownPort) = Split(endpoint);
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? new IPEndPoint(address, port ?? ownPort)
            : new DnsEndPoint(host, port ?? ownPort);
    }

    private static (string Host, int Port) Split(EndpointId endpoint)
    {
        var address = endpoint.Address ?? "";
        var colon = address.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), out var port) && port != 0
            ? (address[..colon], port)
            : throw new FormatException($"Endpoint '{address}' is not of the form ip:port.");
    }
}
