using System.Globalization;
using System.Net;
using Mesh.Testing.Streams;

namespace Mesh.Bench.Gateway;

/// <summary>Many open streams through a gateway: none may be lost, and the gateway's memory per stream is told.</summary>
internal static class StreamLoad
{
    private const int Endpoints = 8;
    private const int EventsPerSecond = 5;

    // Until the gateway's memory is read and delays count, all streams have been open for a while.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(8);

    /// <summary>The backend, at the endpoints of the manifests, until the process is ended.</summary>
    public static async Task<int> BackendAsync(int seconds)
    {
        using var backend = new PacedBackend(Enumerable.Range(1, Endpoints).Select(i => new IPEndPoint(new IPAddress([127, 9, 0, (byte)i]), Backends.Port)), seconds * EventsPerSecond, TimeSpan.FromSeconds(1.0 / EventsPerSecond));
        Console.WriteLine($"{Endpoints} paced backends on port {Backends.Port}: {EventsPerSecond} events/s for {seconds} s.");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>The clients. Exit code 1 when a stream was lost.</summary>
    /// <param name="gateway">Address of the gateway.</param>
    /// <param name="streams">How many.</param>
    /// <param name="seconds">Length of each, as the backend was told.</param>
    /// <param name="gatewayProcess">Id of the gateway's process.</param>
    public static async Task<int> ClientsAsync(IPEndPoint gateway, int streams, int seconds, int gatewayProcess)
    {
        var before = ResidentKib(gatewayProcess);
        using var clients = new StreamClients(gateway, seconds * EventsPerSecond, PacedBackend.Model);
        await clients.OpenAsync(streams, TimeSpan.FromSeconds(seconds / 3.0));
        await Task.Delay(Settling);
        clients.ForgetDelays();
        await Task.Delay(TimeSpan.FromSeconds(seconds / 4.0));
        var (p50, p99, most) = (clients.DelayMs(0.5), clients.DelayMs(0.99), clients.DelayMs(1));
        var open = streams - clients.Complete - clients.Failed;
        var during = ResidentKib(gatewayProcess);
        for (var i = 0; i < seconds * 4 && clients.Complete + clients.Failed < streams; i++) await Task.Delay(1000);
        var lost = streams - clients.Complete;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{streams} streams, {open} open when measured; lost {lost}; delay of an event p50 {p50:0.0} ms, p99 {p99:0.0} ms, longest {most:0.0} ms; gateway {before} KiB before, {during} KiB with them: {(during - before) / (double)Math.Max(open, 1):0.0} KiB per stream"));
        if (clients.FirstFailure is { } failure) Console.WriteLine($"First failure: {failure}");
        return lost == 0 ? 0 : 1;
    }

    private static long ResidentKib(int process)
    {
        foreach (var line in File.ReadLines($"/proc/{process}/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal)) return long.Parse(line["VmRSS:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
