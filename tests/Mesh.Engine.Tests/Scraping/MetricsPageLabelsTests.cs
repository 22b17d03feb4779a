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
}
