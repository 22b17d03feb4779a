using System.Diagnostics;
using System.Net;
using System.Text;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>The program itself.</summary>
[Collection(AloneCollection.Name)]
public sealed class ProcessTests
{
    [Fact]
    public async Task Start_ManifestsWithMistakes_ExitsWithOneAndNamesAll()
    {
        using var manifests = new ManifestCopy();
        manifests.Edit("gke-west/gateway.yaml", "port: 80\n", "port: 0\n");
        manifests.Edit("gke-west/backend-policy.yaml", "balancingMode:", "balancingMod:");
        manifests.Edit("gke-east/inference.yaml", "priority: 10", "priority: high");
        var (code, output, error) = await RunToEndAsync("--manifests", manifests.Path);
        Assert.Equal(1, code);
        Assert.Contains("gke-west/gateway.yaml:", error, StringComparison.Ordinal);
        Assert.Contains("gke-west/backend-policy.yaml:", error, StringComparison.Ordinal);
        Assert.Contains("gke-east/inference.yaml:", error, StringComparison.Ordinal);
        Assert.Contains("errors in", error, StringComparison.Ordinal);
        Assert.DoesNotContain("curl", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--manifests=/no/such/directory", "/no/such/directory")]
    [InlineData("--Mesh:MaxRetries=9", "MaxRetries")]
    [InlineData("--Mesh:MaxRetrys=1", "MaxRetrys")]
    [InlineData("--Mesh:Listeners:80=nonsense", "Mesh:Listeners:80 is 'nonsense'")]
    [InlineData("--region=mars", "No cluster is in region 'mars'; the manifests have: europe-west3, us-east4.")]
    public async Task Start_BadOption_ExitsWithOneAndSaysWhich(string option, string message)
    {
        using var manifests = new ManifestCopy();
        var (code, _, error) = await RunToEndAsync("--manifests", manifests.Path, option);
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PortInUse_ExitsWithOneLine()
    {
        using var manifests = new ManifestCopy();
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Parse(manifests.Network + "1"), 0);
        taken.Start();
        var address = (IPEndPoint)taken.LocalEndpoint;
        var (code, output, error) = await RunToEndAsync("--manifests", manifests.Path, $"--Mesh:Listeners:80={address}");
        Assert.Equal(1, code);
        Assert.StartsWith($"Failed to bind to address http://{address}: address already in use. ", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_Simulated_AnswersAndStopsOnSigterm()
    {
        using var manifests = new ManifestCopy();
        var address = FreePorts.NextAddress();
        using var process = Start("--manifests", manifests.Path, "--simulate", "true", $"--Mesh:Listeners:80={address}", "--Mesh:SimulationSpeed=50");
        var output = new StringBuilder();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)) is { } line)
        {
            output.AppendLine(line);
            if (line.StartsWith("curl ", StringComparison.Ordinal)) break;
        }

        Assert.Contains($"curl -i -X POST http://{address}/v1/completions", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("gke-east/us-east4-a:8000", output.ToString(), StringComparison.Ordinal);
        using var client = new HttpClient();
        using var body = new StringContent("""{"model":"food-review-1","prompt":"What is the best pizza in the world?","max_tokens":10}""", Encoding.UTF8, "application/json");
        using var response = await client.PostAsync($"http://{address}/v1/completions", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(null, null)])) await kill.WaitForExitAsync();
        var rest = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.EndsWith("Stopped.", rest.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, process.ExitCode);
    }

    private static async Task<(int Code, string Output, string Error)> RunToEndAsync(params string[] args)
    {
        using var process = Start(args);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15));
        }
        catch (TimeoutException)
        {
            process.Kill();
            Assert.Fail($"still runs: {await output}");
        }

        return (process.ExitCode, await output, await error);
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Mesh.Gateway.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }
}
