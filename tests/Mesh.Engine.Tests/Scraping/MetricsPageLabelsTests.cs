using System.Text;
using Mesh.Engine.Scraping;

namespace Mesh.Engine.Tests.Scraping;

public sealed class MetricsPageLabelsTests
{
    [Fact]
    public void Parse_Labels_AreReadAndReused()
    {
        var parser = new MetricsPageParser([]);
        var page = """
            vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="27000"} 1.0
            vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="1000"} 1.0
            vllm:lora_requests_info{max_lora="4",running_lora_adapters="a,b",waiting_lora_adapters="c"} 20.0
            vllm:lora_requests_info{max_lora="4",running_lora_adapters="old",waiting_lora_adapters=""} 10.0
            vllm:engine_sleep_state{sleep_state="awake"} 0.0

            """u8.ToArray();

        parser.Parse(page);
        var before = GC.GetAllocatedBytesForCurrentThread();
        parser.Parse(page);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((448_000L, 4, true), (parser.KvCapacityTokens, parser.MaxLoras, parser.IsAsleep));
        Assert.Equal("a,b c", $"{string.Join(',', parser.RunningAdapters)} {string.Join(',', parser.WaitingAdapters)}");
    }

    [Theory]
    [InlineData("a=\"1\",b=\"2\"", "a:1 b:2")]
    [InlineData(" a = \"1\" , b=\"\" ,", "a:1 b:")]
    [InlineData("a=\"x\\\"y\\\\\",b=\"}=,{\"", "a:x\"y\\ b:}=,{")]
    [InlineData("a=\"line\\nbreak\\t\"", "a:line\nbreakt")]
    [InlineData("a=\"\u00e4\u4e2d\"", "a:\u00e4\u4e2d")]
    [InlineData("a=\"1\",b=2,c=\"3\"", "a:1")] // no quotes
    [InlineData("a=\"1\",b=\"2", "a:1")] // no end
    [InlineData("a=\"1\",b=\"2\\\"", "a:1")] // the end is escaped
    [InlineData("a=\"1\",=\"2\"", "a:1")]
    [InlineData("a=\"1\",b", "a:1")]
    [InlineData("", "")]
    [InlineData(",,,", "")]
    public void MoveNext_WholeAndBrokenLabels_GoesAsFarAsTheyMakeSense(string text, string expected)
    {
        var labels = new PrometheusLabels(Encoding.UTF8.GetBytes(text));
        var read = new List<string>();
        while (labels.MoveNext()) read.Add($"{Encoding.UTF8.GetString(labels.Name)}:{PrometheusLabels.Decode(labels.Value)}");

        Assert.Equal(expected, string.Join(' ', read));
    }

    [Fact]
    public void Parse_EnginesAndModelNames_AddUpWhateverTheirLabels()
    {
        var parser = Parse(
            """
            vllm:num_requests_running{engine="0",model_name="meta-llama/Llama-3.1-8B"} 3.0
            vllm:num_requests_running{engine="1",model_name="meta-llama/Llama-3.1-8B"} 4.0
            vllm:num_requests_running{model_name="a \"quoted\" {name}, with 9.0",engine="2"} 5.0
            vllm:kv_cache_usage_perc{engine="0",model_name="a"} 0.25
            vllm:kv_cache_usage_perc{engine="1",model_name="b"} 0.75
            vllm:request_success_total{engine="0",finished_reason="stop",model_name="a"} 10.0
            vllm:request_success_total{engine="1",finished_reason="length",model_name="a"} 5.0
            vllm:prefix_cache_queries_total{engine="0"} 100.0
            vllm:prefix_cache_queries_total{engine="1"} 50.0
            vllm:prefix_cache_hits_total{engine="0"} 40.0

            """);

        Assert.Equal((12, 0.5, 15d, 150d, 40d), (parser.RunningRequests, parser.KvUtilizationRatio, parser.FinishedRequests, parser.PrefixQueries, parser.PrefixHits));
    }

    [Theory]
    [InlineData("vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\"} 1.0\n", 1600L)]
    [InlineData("vllm:cache_config_info{num_gpu_blocks=\"100\",x=\"a\\\"}\",block_size=\"16\"} 1\n", 1600L)]
    [InlineData("vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"None\"} 1.0\n", null)] // before the first profiling run
    [InlineData("vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\"} 1.0\nvllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"None\"} 1.0\n", null)]
    [InlineData("vllm:cache_config_info{block_size=\"16\"} 1.0\n", null)]
    [InlineData("vllm:cache_config_info{block_size=\"-16\",num_gpu_blocks=\"-100\"} 1.0\n", null)]
    [InlineData("vllm:cache_config_info{block_size=\"16.0\",num_gpu_blocks=\"100\"} 1.0\n", null)]
    [InlineData("vllm:cache_config_info{block_size=\"9223372036854775807\",num_gpu_blocks=\"2\"} 1.0\n", null)]
    [InlineData("vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\" 1.0\n", null)]
    [InlineData("vllm:cache_config_info 1.0\n", null)]
    [InlineData("", null)]
    public void Parse_CacheConfig_IsTheSumOfKnownCaches(string page, long? expected)
    {
        Assert.Equal(expected, Parse(page).KvCapacityTokens);
    }

    [Theory]
    [InlineData("vllm:engine_sleep_state{engine=\"0\",sleep_state=\"awake\"} 1.0\nvllm:engine_sleep_state{sleep_state=\"discard_all\"} 0.0\n", false)]
    [InlineData("vllm:engine_sleep_state{engine=\"0\",sleep_state=\"awake\"} 0.0\n", true)]
    [InlineData("vllm:engine_sleep_state{engine=\"0\",sleep_state=\"weights_offloaded\"} 1.0\n", true)]
    [InlineData("vllm:engine_sleep_state{engine=\"0\",sleep_state=\"awake\"} 1\nvllm:engine_sleep_state{engine=\"1\",sleep_state=\"awake\"} 0\n", true)]
    [InlineData("vllm:engine_sleep_state{engine=\"0\"} 1.0\n", false)]
    [InlineData("vllm:engine_sleep_state{sleep_state=\"awake} 0.0\n", false)]
    [InlineData("", false)]
    public void Parse_SleepState_IsAsleepWhenAnEngineSaysSo(string page, bool expected)
    {
        Assert.Equal(expected, Parse(page).IsAsleep);
    }

    [Theory]
    [InlineData("vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"a, b,,c\",waiting_lora_adapters=\"\"} 5.0\n", "2: a b c | ")]
    [InlineData("vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"x\\\"y\",waiting_lora_adapters=\"z\"} 5.0\n", "2: x\"y | z")]
    [InlineData("vllm:lora_requests_info{max_lora=\"two\",running_lora_adapters=\"a\"} 5.0\n", ": a | ")]
    [InlineData("vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"new\"} 6.0\nvllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"old\"} 5.0\n", "2: new | ")]
    [InlineData("vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"a\"} NaN\n", ":  | ")]
    [InlineData("vllm:lora_requests_info 5.0\n", ":  | ")]
    public void Parse_LoraRequests_IsTheYoungestState(string page, string expected)
    {
        var parser = Parse(page);

        Assert.Equal(expected, $"{parser.MaxLoras}: {string.Join(' ', parser.RunningAdapters)} | {string.Join(' ', parser.WaitingAdapters)}");
    }

    [Theory]
    [InlineData("process_start_time_seconds 1.78e+09\n", 1.78e9)]
    [InlineData("process_start_time_seconds NaN\n", null)]
    [InlineData("process_start_time_seconds_x 5\n", null)]
    public void Parse_ProcessStart_IsRead(string page, double? expected)
    {
        Assert.Equal(expected, Parse(page).ProcessStart);
    }

    [Fact]
    public void Fingerprint_ChangesWithAnythingWanted_AndWithNothingElse()
    {
        const string Page = "vllm:num_requests_running 0\nvllm:prompt_tokens_total 5\nvllm:lora_requests_info{max_lora=\"2\"} 6.0\npython_gc_collections_total 1\n";
        var fingerprint = Parse(Page).Fingerprint;

        Assert.Equal(fingerprint, Parse(Page.Replace("collections_total 1", "collections_total 2", StringComparison.Ordinal)).Fingerprint);
        Assert.NotEqual(fingerprint, Parse(Page.Replace("total 5", "total 6", StringComparison.Ordinal)).Fingerprint);
        Assert.NotEqual(fingerprint, Parse(Page.Replace("} 6.0", "} 7.0", StringComparison.Ordinal)).Fingerprint);
        Assert.NotEqual(fingerprint, Parse(Page.Replace("vllm:num_requests_running 0\n", "", StringComparison.Ordinal)).Fingerprint);
        Assert.NotEqual(fingerprint, Parse(Page.Replace("running 0", "waiting 0", StringComparison.Ordinal)).Fingerprint);
    }

    [Fact]
    public void Observe_ProcessOrCountersBeginAnew_MovesTheStart()
    {
        var start = new EngineStart();

        start.Observe(null, 5, 1, 100);
        start.Observe(null, 6, 1, 110);
        Assert.Equal(100, start.Seconds);
        start.Observe(null, 2, 0, 120);
        Assert.Equal(120, start.Seconds);
        start.Observe(50, 3, 0, 130);
        Assert.Equal(50, start.Seconds);
    }

    private static MetricsPageParser Parse(string page)
    {
        var parser = new MetricsPageParser([]);
        parser.Parse(Encoding.UTF8.GetBytes(page));
        return parser;
    }
}
