using System.Globalization;
using System.Text.RegularExpressions;

namespace Mesh.Simulation.Tests.Server;

public partial class MetricsPageTests
{
    private static readonly string[] Gauges =
    [
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:num_requests_waiting_by_reason", "vllm:kv_cache_usage_perc",
        "vllm:engine_sleep_state", "vllm:lora_requests_info", "vllm:cache_config_info",
    ];

    private static readonly string[] Counters =
    [
        "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:num_preemptions_total", "vllm:prompt_tokens_total",
        "vllm:prompt_tokens_cached_total", "vllm:generation_tokens_total", "vllm:request_success_total", "vllm:admission_rejections_total",
    ];

    private static readonly string[] Histograms =
    [
        "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds", "vllm:request_time_per_output_token_seconds",
        "vllm:e2e_request_latency_seconds", "vllm:request_queue_time_seconds", "vllm:request_inference_time_seconds",
        "vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds", "vllm:request_prompt_tokens",
        "vllm:request_generation_tokens", "vllm:request_params_n", "vllm:request_params_max_tokens", "vllm:iteration_tokens_total",
    ];

    [Fact]
    public async Task Page_AfterARequest_IsWellFormedAndComplete()
    {
        await using var fixture = await ServerFixture.StartAsync();
        await fixture.PostJsonAsync("/v1/completions", """{"model":"food-review-1","prompt":"one","max_tokens":5,"n":2}""");
        using var response = await fixture.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var page = await response.Content.ReadAsStringAsync();
        Assert.InRange(page.Length, 20_000, 200_000);
        Assert.EndsWith("\n", page);
        var types = CheckFormat(page);
        foreach (var name in Gauges) Assert.Equal("gauge", types[name]);
        foreach (var name in Counters) Assert.Equal("counter", types[name]);
        foreach (var name in Histograms) Assert.Equal("histogram", types[name]);
        Assert.Contains("vllm:request_success_total{engine=\"0\",finished_reason=\"length\",model_name=\"llama\"} 2.0", page);
        Assert.Contains("vllm:generation_tokens_total{engine=\"0\",model_name=\"llama\"} 10.0", page);
        Assert.Contains("vllm:request_params_n_sum{engine=\"0\",model_name=\"llama\"} 2.0", page);
        Assert.Contains("block_size=\"16\"", page);
        Assert.Contains("num_gpu_blocks=\"27000\"", page);
        Assert.Contains("vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"\",waiting_lora_adapters=\"\"}", page);
    }

    [Fact]
    public async Task Page_WhileAnAdapterRuns_NamesIt()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1 });
        var (response, _) = await fixture.OpenStreamAsync("""{"model":"food-review-1","prompt":"a","max_tokens":4000,"stream":true}""");
        Assert.Contains("running_lora_adapters=\"food-review-1\"", await fixture.Client.GetStringAsync("/metrics"));
        Assert.Equal(1, await fixture.MetricAsync("vllm:num_requests_running"));
        Assert.True(await fixture.MetricAsync("vllm:kv_cache_usage_perc") > 0);
        response.Dispose();
    }

    [Fact]
    public async Task Page_LegacyNames_HasTheOldGaugeOnly()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { LegacyMetricNames = true });
        var page = await fixture.Client.GetStringAsync("/metrics");
        Assert.Contains("vllm:gpu_cache_usage_perc{engine=\"0\",model_name=\"llama\"} 0.0\n", page);
        Assert.DoesNotContain("vllm:kv_cache_usage_perc", page);
    }

    [Fact]
    public async Task Models_ListsBaseAndAdapters()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var list = await fixture.Client.GetStringAsync("/v1/models");
        Assert.Contains("\"id\":\"food-review-1\"", list);
        Assert.Contains("\"parent\":\"llama\"", list);
        Assert.Contains("\"parent\":null", list);
        Assert.Equal("""{"version":"0.11.0"}""", await fixture.Client.GetStringAsync("/version"));
        Assert.Equal("", await fixture.Client.GetStringAsync("/health"));
        Assert.Equal("", await fixture.Client.GetStringAsync("/ping"));
        Assert.Equal("""{"server_load":0}""", await fixture.Client.GetStringAsync("/load"));
    }

    /// <summary>Checks each line against the text format: HELP, TYPE, then that family's samples; buckets that never fall; no sample twice.</summary>
    private static Dictionary<string, string> CheckFormat(string page)
    {
        Dictionary<string, string> types = [];
        HashSet<string> seen = [];
        var family = "";
        double bucket = 0;
        foreach (var line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) continue;
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                family = parts[2];
                Assert.True(types.TryAdd(family, parts[3]), line);
                continue;
            }

            var match = Sample().Match(line);
            Assert.True(match.Success, line);
            Assert.True(seen.Add(line[..line.LastIndexOf(' ')]), line);
            var name = match.Groups[1].Value;
            Assert.True(name == family || (types[family] == "histogram" && Suffix().Replace(name, "") == family), line);
            var value = double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            if (!name.EndsWith("_bucket", StringComparison.Ordinal) || line.Contains("le=\"+Inf\"")) bucket = 0;
            else
            {
                Assert.True(value >= bucket, line);
                bucket = value;
            }
        }

        return types;
    }

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(?:[a-z_]+="[^"]*",?)*\} (\S+)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex Suffix();
}
