using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>Prometheus itself, scraping a gateway and simulated model servers.</summary>
[Collection(AloneCollection.Name)]
public sealed class PrometheusServerTests
{
    [PrometheusFact]
    public async Task Prometheus_ScrapesGatewayAndSimulator_WithoutAMistake()
    {
        using var folder = new TempFolder();
        await using var mesh = await SimulatedMesh.StartAsync();
        using (var body = new StringContent("""{"model":"food-review-1","prompt":"What is the best pizza?","max_tokens":5}""", Encoding.UTF8, "application/json"))
        using (var response = await mesh.Client.PostAsync("/v1/completions", body)) Assert.True(response.IsSuccessStatusCode);
        var simulators = string.Join(", ", mesh.Servers.Keys.Select(e => $"'{e.Address}'"));
        var config = Path.Combine(folder.Path, "prometheus.yml");
        await File.WriteAllTextAsync(config, $"""
            global: {"{"}scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s{"}"}
            rule_files: ['{Repository.PathOf("deploy", "prometheus", "mesh.rules.yml")}']
            scrape_configs:
              - job_name: mesh
                static_configs: [{"{"}targets: ['{mesh.Uri.Authority}']{"}"}]
              - job_name: vllm
                static_configs: [{"{"}targets: [{simulators}]{"}"}]
            """);
        var address = FreePorts.NextAddress();
        var start = new ProcessStartInfo(PrometheusFactAttribute.FileName!) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[$"--config.file={config}", $"--storage.tsdb.path={Path.Combine(folder.Path, "data")}", $"--web.listen-address={address}"]) start.ArgumentList.Add(argument);
        using var prometheus = Process.Start(start)!;
        var log = prometheus.StandardError.ReadToEndAsync();
        _ = prometheus.StandardOutput.ReadToEndAsync();
        try
        {
            using var client = Clients.Create(new Uri($"http://{address}"));
            await EventuallyAsync(async () => (await ValueAsync(client, "count(up == 1)")) == 9, "every target is scraped");
            var targets = await client.GetFromJsonAsync<JsonElement>("/api/v1/targets?state=active");
            Assert.All(
                targets.GetProperty("data").GetProperty("activeTargets").EnumerateArray(),
                t => Assert.Equal(("up", ""), (t.GetProperty("health").GetString(), t.GetProperty("lastError").GetString())));
            Assert.Equal(1, await ValueAsync(client, "sum(mesh_requests_total)"));
            Assert.Equal(8, await ValueAsync(client, "sum(mesh_backend_ready_endpoints)"));
            Assert.Equal(8, await ValueAsync(client, "mesh_external_metric{metric=\"mesh-ready-endpoints\",cluster=\"\"}"));
            Assert.Equal(8, await ValueAsync(client, "count(vllm:kv_cache_usage_perc)"));
            Assert.True(await ValueAsync(client, "count({job=\"vllm\"})") > 100);
            var rules = await client.GetFromJsonAsync<JsonElement>("/api/v1/rules");
            Assert.All(
                rules.GetProperty("data").GetProperty("groups").EnumerateArray().SelectMany(g => g.GetProperty("rules").EnumerateArray()),
                r => Assert.NotEqual("err", r.GetProperty("health").GetString()));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        Assert.DoesNotContain("level=error", await log, StringComparison.OrdinalIgnoreCase);
    }

    [PromtoolFact]
    public async Task Page_OfASimulator_IsReadableForPromtool()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        using var client = Clients.Create(new Uri($"http://{mesh.Servers.Keys.First().Address}"));
        var (_, output) = await Promtool.RunAsync(await client.GetStringAsync("/metrics"), "check", "metrics");
        // vLLM's own names have colons, which the linter dislikes; what cannot be parsed it says otherwise.
        Assert.DoesNotContain("error while linting", output, StringComparison.Ordinal);
        Assert.DoesNotContain("parsing error", output, StringComparison.Ordinal);
    }

    private static async Task<double?> ValueAsync(HttpClient client, string query)
    {
        using var response = await client.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}");
        if (!response.IsSuccessStatusCode) return null;
        var result = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("data").GetProperty("result");
        return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition, string what)
    {
        for (var i = 0; i < 300; i++)
        {
            try
            {
                if (await condition()) return;
            }
            catch (HttpRequestException)
            {
                // It has not opened its port yet.
            }

            await Task.Delay(200);
        }

        Assert.Fail($"Not within a minute: {what}");
    }
}

/// <summary>A test that needs Prometheus and says so where it is missing.</summary>
internal sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute()
    {
        if (FileName is null) Skip = "prometheus is not installed (Debian: apt-get install prometheus).";
    }

    public static string? FileName { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(p => Path.Combine(p, "prometheus")).FirstOrDefault(File.Exists);
}
