using System.Net;
using System.Net.Sockets;

namespace Mesh.Gateway.Tests.Support;

/// <summary>Addresses that no other process of the machine is likely to use at the same time.</summary>
internal static class Addresses
{
    private static int _next;

    /// <summary>An address with a port that was free a moment ago; each call has a loopback address of its own.</summary>
    public static IPEndPoint Free()
    {
        var n = Interlocked.Increment(ref _next);
        var address = new IPAddress([127, (byte)(64 + (Environment.ProcessId % 120)), (byte)(n >> 8), (byte)((n & 0xff) | 1)]);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }
}
