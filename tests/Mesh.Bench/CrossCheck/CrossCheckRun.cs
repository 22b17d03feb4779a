using System.Globalization;
using System.Net;
using System.Text.Json;
using Mesh.Simulation.Server;
using Mesh.Testing.Net;

namespace Mesh.Bench.CrossCheck;

/// <summary>
/// One workload twice: through simulated servers over HTTP behind a real gateway in real time (<c>mesh load</c>), and through the virtual
/// world with the gateway's own manifests (<c>mesh replay</c>). Both read the same trace file with the same seed.
/// </summary>
internal static class CrossCheckRun
{
    private const string Gateway = "Mesh.Gateway.dll";
    private const string GatewayProject = "gateway/Mesh.Gateway";
    private const string Tool = "mesh.dll";
    private const string ToolProject = "src/Mesh.Cli";

    /// <summary>Runs both and prints them; exit code 0 when they agree, 1 when they do not, 2 for bad arguments.</summary>
    public static async Task<int> MainAsync(string[] args)
    {
        try
        {
            var options = CrossCheckOptions.Parse(args);
            var result = await RunAsync(options);
            Console.Write(result.ToText(options));
            return result.Agrees(options.Tolerance) ? 0 : 1;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    /// <summary>Runs both.</summary>
    public static async Task<CrossCheckResult> RunAsync(CrossCheckOptions options)
    {
        var servers = new List<SimulatedVllmServer>();
        try
        {
            var addresses = Addresses(options.Endpoints);
            foreach (var (ip, port) in addresses)
            {
                servers.Add(await SimulatedVllmServer.StartAsync(
                    new SimulatedVllmOptions { Host = ip, Port = port, Speed = 1 / options.SlowDown, MaxModelLen = CrossCheckFiles.MaxModelLen }, CancellationToken.None));
            }

            using var files = new CrossCheckFiles(options, addresses);
            var seed = options.Seed.ToString(CultureInfo.InvariantCulture);
            var virtually = await ChildProgram.RunAsync(
                Tool, ToolProject, "replay", "--manifests", files.Manifests, "--fleet", files.Fleet, "--trace", files.Trace, "--seed", seed, "-o", "json");
            var port80 = FreePorts.Next();
            await using var gateway = ChildProgram.Start(Gateway, GatewayProject, "--manifests", files.Manifests, $"--Mesh:Listeners:80=127.0.0.1:{port80}");
            await gateway.WaitForLineAsync("curl ");
            var url = $"http://127.0.0.1:{port80}";
            await WarmUpAsync(url);
            var really = await ChildProgram.RunAsync(Tool, ToolProject, "load", url, "--trace", files.Trace, "--seed", seed, "-o", "json");
            using var world = JsonDocument.Parse(virtually);
            using var load = JsonDocument.Parse(really);
            return CrossCheckResult.Of(load.RootElement, world.RootElement[0]);
        }
        finally
        {
            foreach (var server in servers) await server.KillAsync();
        }
    }

    // Short prompts of other text: code is compiled and connections are open, and no cache holds anything that the trace asks for.
    private static Task WarmUpAsync(string url) => ChildProgram.RunAsync(
        Tool, ToolProject, "load", url, "--rate", "20", "--requests", "100", "--prompt-tokens", "32", "--output-tokens", "4", "--seed", "99", "-o", "json");

    // One port on several addresses of the loopback interface, as the endpoints of a pool have it.
    private static List<(string Ip, int Port)> Addresses(int count)
    {
        var port = FreePorts.Next(IPAddress.Parse("127.19.0.1"));
        return [.. Enumerable.Range(1, count).Select(i => (string.Create(CultureInfo.InvariantCulture, $"127.19.0.{i}"), port))];
    }
}
