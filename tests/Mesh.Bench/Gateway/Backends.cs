using System.Globalization;
using Mesh.Simulation.Server;

namespace Mesh.Bench.Gateway;

/// <summary>
/// The backends of the gateway's measurements, all in this process: instant ones on 127.0.0.1, for what is compared, and on
/// 127.9.0.1–127.9.0.8, the endpoints of <c>manifests/</c>.
/// </summary>
internal static class Backends
{
    /// <summary>Port of every one of them, as in the manifests.</summary>
    public const int Port = 17100;

    private const int Endpoints = 8;

    /// <summary>Serves until the process is ended.</summary>
    public static async Task<int> RunAsync()
    {
        var servers = new List<SimulatedVllmServer> { await StartAsync("127.0.0.1") };
        for (var i = 1; i <= Endpoints; i++) servers.Add(await StartAsync(string.Create(CultureInfo.InvariantCulture, $"127.9.0.{i}")));
        Console.WriteLine($"{servers.Count} instant backends on port {Port}.");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    private static Task<SimulatedVllmServer> StartAsync(string host) => SimulatedVllmServer.StartAsync(
        new SimulatedVllmOptions { Host = host, Port = Port, Instant = true, Models = [new("food-review-1")] }, CancellationToken.None);
}
