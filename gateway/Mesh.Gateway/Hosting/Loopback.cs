using System.Net;

namespace Mesh.Gateway.Hosting;

/// <summary>Facts of addresses.</summary>
internal static class Loopback
{
    /// <summary>True when only this machine can reach the address.</summary>
    public static bool Is(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
