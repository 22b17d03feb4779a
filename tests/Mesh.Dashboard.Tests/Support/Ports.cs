using System.Net;
using System.Net.Sockets;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>Addresses that nobody uses.</summary>
internal static class Ports
{
    public static IPEndPoint Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }
}

/// <summary>Waiting for what happens elsewhere, with an end.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, int withinSeconds = 30)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(withinSeconds));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"Not within {withinSeconds} s: {what}");
            await Task.Delay(100);
        }
    }
}
