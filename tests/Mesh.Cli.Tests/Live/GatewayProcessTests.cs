using System.Diagnostics;
using System.Text;
using Mesh.Cli.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Cli.Tests.Live;

/// <summary>The commands against the gateway itself, as a process, over the quick start's manifests.</summary>
public sealed class GatewayProcessTests
{
    [Fact]
    public async Task LiveCommands_AgainstAGateway_ShowItDrainItAndFindItDrainedAfterARestart()
    {
        using var folder = new TemporaryFolder();
        var manifests = Copy(Path.Combine(AppContext.BaseDirectory, "examples", "quickstart"), Path.Combine(folder.Path, "manifests"));
        string[] arguments = ["--manifests", manifests, "--simulate", "true", "--state", Path.Combine(folder.Path, "state"), "--admin", $"127.0.0.1:{FreePorts.Next()}", $"--Mesh:Listeners:80=127.0.0.1:{FreePorts.Next()}"];
        var url = $"http://{arguments[7]}";
        Task<ToolRun> RunAsync(params string[] command) => ToolRun.WithAsync(new Dictionary<string, string> { ["MESH_SERVER"] = url, ["USER"] = "alice" }, command);
        using (var gateway = await StartAsync(arguments))
        {
            Assert.Matches(@"default/vllm-llama3-8b-instruct +8/8 +0 ", (await RunAsync("get", "pools")).Output);
            Assert.Equal(8, (await RunAsync("get", "endpoints", "-o", "name")).Output.Split('\n').Length - 1);
            foreach (var kind in (string[])["backends", "regions", "clusters", "objectives", "leases", "decisions", "drains"])
            {
                var run = await RunAsync("get", kind, "-o", "wide");
                Assert.True(run.ExitCode == 0, run.Error);
            }

            Assert.Contains("8/8 endpoints ready", (await RunAsync("top")).Output, StringComparison.Ordinal);
            Assert.Contains("Settings:", (await RunAsync("describe", "pool", "vllm-llama3-8b-instruct")).Output, StringComparison.Ordinal);

            var drained = await RunAsync("drain", "region", "us-east4", "--reason", "power cut", "--wait");
            Assert.Equal((0, ""), (drained.ExitCode, drained.Error));
            Assert.StartsWith("region us-east4 drained: 4 endpoints, 0 requests in flight\nempty after ", drained.Output, StringComparison.Ordinal);
            Assert.Equal(4, (await RunAsync("get", "endpoints", "-l", "state=drained", "-o", "name")).Output.Split('\n').Length - 1);
            Assert.Contains("with region us-east4", (await RunAsync("describe", "cluster", "gke-east")).Output, StringComparison.Ordinal);

            var last = await RunAsync("drain", "region", "europe-west3", "--reason", "x");
            Assert.Equal(1, last.ExitCode);
            Assert.Contains("--force", last.Error, StringComparison.Ordinal);
            var unknown = await RunAsync("drain", "cluster", "gke-wst", "--reason", "x");
            Assert.Contains("did you mean gke-west?", unknown.Error, StringComparison.Ordinal);
            await StopAsync(gateway);
        }

        using var again = await StartAsync(arguments);
        Assert.Matches(@"region +us-east4 +- +4 +0 +.+ alice@.+ \(127\.0\.0\.1\) +power cut", (await RunAsync("get", "drains")).Output);
        var undrained = await RunAsync("undrain", "region", "us-east4");
        Assert.Equal((0, "region us-east4 undrained: 4 endpoints, 0 requests in flight\n", ""), (undrained.ExitCode, undrained.Output, undrained.Error));
        await StopAsync(again);
    }

    private static async Task<Process> StartAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "gateway", "Mesh.Gateway.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        var output = new StringBuilder();
        _ = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
        {
            output.AppendLine(line);
            // The banner waits until every endpoint is known, and ends with a request to paste.
            if (!line.StartsWith("curl ", StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return process;
        }

        throw new InvalidOperationException($"The gateway did not start: {output}");
    }

    private static async Task StopAsync(Process process)
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static string Copy(string from, string to)
    {
        // Addresses of this test's own: others may run the quick start at the same time.
        var network = $"127.{Random()}.";
        foreach (var file in Directory.EnumerateFiles(from, "*.yaml", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, File.ReadAllText(file).Replace("127.1.0.", $"{network}1.", StringComparison.Ordinal).Replace("127.2.0.", $"{network}2.", StringComparison.Ordinal));
        }

        return to;
    }

    private static int Random() => 60 + (Environment.ProcessId % 150);
}
