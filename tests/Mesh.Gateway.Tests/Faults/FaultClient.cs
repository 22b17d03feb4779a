using System.Net.Sockets;
using System.Text;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>What the fault tests ask for, and what must hold after each.</summary>
internal static class FaultClient
{
    public const string Body = """{"model":"m1","prompt":"hi"}""";

    public static string Raw(string body) => $"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Sends a request on a connection of its own, which the test may then treat badly.</summary>
    public static async Task<Socket> PostRawAsync(TestGateway gateway)
    {
        var socket = await gateway.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Raw(Body)));
        return socket;
    }

    /// <summary>Every lease has come back, each once.</summary>
    public static async Task SettledAsync(TestGateway gateway)
    {
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back", 5000);
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }
}
