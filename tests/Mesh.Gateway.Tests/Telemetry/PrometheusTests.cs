using System.Text.Json;
using System.Text.RegularExpressions;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Telemetry;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Metrics;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>The page, the alert rules, the dashboard and the reference, against each other and against Prometheus' own checker.</summary>
[Collection(AloneCollection.Name)]
public sealed partial class PrometheusTests
{
    private static readonly string Rules = Repository.PathOf("deploy", "prometheus", "mesh.rules.yml");

    [PromtoolFact]
    public async Task Page_OfALiveMesh_IsCleanForPromtool()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        await LoadAsync(mesh, 20);
        var page = await mesh.Client.GetStringAsync("/metrics");
        var (code, output) = await Promtool.RunAsync(page, "check", "metrics");
        Assert.True(code == 0 && output.Length == 0, output);
    }

    [Fact]
    public async Task Page_AfterLoad_AddsUp()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        await LoadAsync(mesh, 60);
        using (var broken = await mesh.Client.PostAsync("/v1/completions", new StringContent("{"))) Assert.False(broken.IsSuccessStatusCode);
        await Eventually.TrueAsync(() => mesh.Host.OpenRequests == 0, "the requests end");
        var page = ExpositionFormat.Parse(await mesh.Client.GetStringAsync("/metrics"));
        Assert.Equal(61, Sum("mesh_requests_total"));
        Assert.Equal(61, Sum("mesh_request_endings_total"));
        Assert.Equal(61, Sum("mesh_request_duration_seconds_count"));
        Assert.Equal(60, Sum("mesh_endpoint_requests_total"));
        Assert.Equal(60, Sum("mesh_decisions_total"));
        Assert.Equal(60, Sum("mesh_queue_wait_seconds_count"));
        Assert.Equal(30, Sum("mesh_time_to_first_token_seconds_count"));
        Assert.Equal(1, Sum("mesh_request_failures_total"));
        Assert.Equal(0, Sum("mesh_open_requests"));
        Assert.Equal(0, Sum("mesh_pool_leases"));
        Assert.Equal(0, Sum("mesh_endpoint_in_flight_requests"));
        Assert.Equal(8, Sum("mesh_backend_ready_endpoints"));
        Assert.Equal(8, Sum("mesh_endpoint_healthy"));
        Assert.True(Sum("mesh_completion_tokens_total") >= 60 * 5);
        Assert.True(Sum("mesh_engine_scrapes_total") > 0);
        Assert.Equal(0, Sum("mesh_metric_overflows_total"));
        Assert.Contains(page.Keys, k => k.StartsWith("mesh_requests_total{", StringComparison.Ordinal) && k.Contains("model=\"food-review-1\"", StringComparison.Ordinal));

        double Sum(string name) => page.Where(s => s.Key == name || s.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(s => s.Value);
    }

    [PromtoolFact]
    public async Task Rules_AreValid_AndFireWhenTheyShould()
    {
        var (code, output) = await Promtool.RunAsync(null, "check", "rules", Rules);
        Assert.True(code == 0, output);
        (code, output) = await Promtool.RunAsync(null, "test", "rules", Rules.Replace(".rules.yml", ".rules.test.yml", StringComparison.Ordinal));
        Assert.True(code == 0, output);
    }

    [Fact]
    public void Rules_EachHasACase()
    {
        var cases = File.ReadAllText(Rules.Replace(".rules.yml", ".rules.test.yml", StringComparison.Ordinal));
        var alerts = Alert().Matches(File.ReadAllText(Rules)).Select(m => m.Groups[1].Value).ToArray();
        Assert.NotEmpty(alerts);
        Assert.All(alerts, a => Assert.Contains($"alertname: {a}\n        exp_alerts:\n", cases, StringComparison.Ordinal));
    }

    [Fact]
    public void RulesAndDashboard_NameOnlyMetricsThatAreThere()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var metric in MetricsReference.All.Where(m => m.PageName is not null))
        {
            if (metric.Kind != MetricKind.Histogram) known.Add(metric.PageName!);
            else foreach (var suffix in (string[])["_bucket", "_sum", "_count"]) known.Add(metric.PageName + suffix);
        }

        var dashboard = File.ReadAllText(Repository.PathOf("deploy", "grafana", "mesh.json"));
        using var json = JsonDocument.Parse(dashboard);
        var panels = json.RootElement.GetProperty("panels").EnumerateArray().ToArray();
        Assert.True(panels.Length > 20);
        Assert.Equal(panels.Length, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        foreach (var text in (string[])[File.ReadAllText(Rules), dashboard])
        {
            var named = MetricName().Matches(text).Select(m => m.Value).Distinct().ToArray();
            Assert.True(named.Length > 5);
            Assert.Empty(named.Except(known));
        }
    }

    [PromtoolFact]
    public async Task Dashboard_EveryQuery_IsPromQl()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("deploy", "grafana", "mesh.json")));
        var rules = new System.Text.StringBuilder("groups:\n  - name: dashboard\n    rules:\n");
        var count = 0;
        foreach (var target in json.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _)).SelectMany(p => p.GetProperty("targets").EnumerateArray()))
        {
            var query = target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "1m", StringComparison.Ordinal);
            rules.Append($"      - record: query:{++count}\n        expr: '{query}'\n");
        }

        var file = Path.Combine(Path.GetTempPath(), $"mesh-dashboard-{Environment.ProcessId}.yml");
        await File.WriteAllTextAsync(file, rules.ToString());
        try
        {
            var (code, output) = await Promtool.RunAsync(null, "check", "rules", "--lint=none", file);
            Assert.True(code == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Reference_IsThatOfTheDefinitions()
    {
        var file = Repository.PathOf("gateway", "Mesh.Gateway", "Telemetry", "METRICS.md");
        var made = MetricsReference.Render();
        if (Environment.GetEnvironmentVariable("MESH_UPDATE_REFERENCE") == "1") File.WriteAllText(file, made);
        Assert.True(File.Exists(file) && File.ReadAllText(file) == made, $"{file} is stale: run this test with MESH_UPDATE_REFERENCE=1 to make it anew.");
    }

    [Fact]
    public void Definitions_NamesAndUnits_FollowTheConventions()
    {
        var all = MetricsReference.All;
        Assert.Equal(all.Count(m => m.PageName is not null), all.Select(m => m.PageName).OfType<string>().Distinct().Count());
        Assert.Equal(all.Count(m => m.MeterName is not null), all.Select(m => m.MeterName).OfType<string>().Distinct().Count());
        foreach (var metric in all)
        {
            Assert.EndsWith(".", metric.Meaning, StringComparison.Ordinal);
            Assert.Equal(metric.Kind == MetricKind.Histogram, !metric.Bounds.IsEmpty);
            Assert.Equal(metric.Bounds.Order(), metric.Bounds);
            if (metric.PageName is not { } name) continue;
            Assert.Equal(metric.Kind == MetricKind.Counter, name.EndsWith("_total", StringComparison.Ordinal));
            var isSeconds = name.EndsWith("_seconds", StringComparison.Ordinal) || name.EndsWith("_seconds_total", StringComparison.Ordinal);
            Assert.True(metric.Unit == "s" == isSeconds, name);
            Assert.True(metric.Unit == "By" == name.Contains("_bytes", StringComparison.Ordinal), name);
        }
    }

    private static async Task LoadAsync(SimulatedMesh mesh, int requests)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, requests), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var stream = i % 2 == 0 ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "";
            using var body = new StringContent($$"""{"model":"food-review-1","prompt":"What is the best pizza?","max_tokens":{{5 + (i % 3)}}{{stream}}}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await mesh.Client.PostAsync("/v1/completions", body);
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, text);
        });
        await Eventually.TrueAsync(() => mesh.Host.OpenRequests == 0, "the requests end");
    }

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"\b(mesh|process)_[a-z0-9_]+\b")]
    private static partial Regex MetricName();
}
