using System.Globalization;
using System.Net;

namespace Mesh.Bench.Gateway;

/// <summary>Programs that measure a gateway beside other processes; <c>results/gateway-floor.md</c> says how they are used.</summary>
internal static class GatewayCommands
{
    private const string Usage = """
        gateway backends                                          instant backends, until the process is ended
        gateway open-loop REQUESTS_PER_SECOND SECONDS NAME=IP:PORT ...   latency; the first target is what the others are compared with
        gateway stream-backend SECONDS                            backends of streams with 5 events per second
        gateway streams IP:PORT STREAMS SECONDS GATEWAY_PID       clients of streams
        """;

    /// <summary>Runs one of them; exit code 2 when there is none of that name.</summary>
    public static Task<int> RunAsync(string[] args)
    {
        // As in the gateway: what is measured should not be this program's thread hops.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        switch (args)
        {
            case ["backends"]:
                return Backends.RunAsync();
            case ["open-loop", var perSecond, var seconds, .. { Length: > 0 } targets]:
                return OpenLoop.RunAsync(targets, Number(perSecond), Number(seconds));
            case ["stream-backend", var seconds]:
                return StreamLoad.BackendAsync(Number(seconds));
            case ["streams", var gateway, var streams, var seconds, var process]:
                return StreamLoad.ClientsAsync(IPEndPoint.Parse(gateway), Number(streams), Number(seconds), Number(process));
            default:
                Console.Error.WriteLine(Usage);
                return Task.FromResult(2);
        }
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
