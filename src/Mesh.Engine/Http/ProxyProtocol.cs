using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Engine.Http;

/// <summary>The line with which a proxy tells a server who its client is, PROXY protocol version 1. For a probe the client is the prober.</summary>
internal static class ProxyProtocol
{
    /// <summary><c>PROXY TCP4 source destination source-port destination-port</c> of a connected socket.</summary>
    public static byte[] Line(Socket socket) => Line((IPEndPoint)socket.LocalEndPoint!, (IPEndPoint)socket.RemoteEndPoint!);

    /// <summary>The line for a connection between two addresses.</summary>
    public static byte[] Line(IPEndPoint source, IPEndPoint destination)
    {
        var from = Plain(source.Address);
        var to = Plain(destination.Address);
        var family = from.AddressFamily == AddressFamily.InterNetwork ? "TCP4" : "TCP6";
        return Encoding.ASCII.GetBytes($"PROXY {family} {from} {to} {source.Port} {destination.Port}\r\n");
    }

    // A socket for both families shows IPv4 addresses in their IPv6 form, which the line must not carry.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
