using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Randomness;
using Mesh.Engine.Scraping;

namespace Mesh.Engine.Tests.Scraping;

public sealed class MetricsPageParserTests
{
    [Theory]
    [InlineData("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25\n", 0.25)]
    [InlineData("vllm:gpu_cache_usage_perc{model_name=\"m\"} 0.5\n", 0.5)]
    [InlineData("vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.25\n", 0.25)]
    [InlineData("vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc NaN\n", 0.5)]
    [InlineData("vllm:kv_cache_usage_perc{engine=\"0\"} 0.2\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.4\n", 0.3)]
    [InlineData("vllm:kv_cache_usage_perc 1.0000001\n", 1d)]
    [InlineData("vllm:kv_cache_usage_perc 5e-05\r\n", 0.00005)]
    [InlineData("vllm:kv_cache_usage_perc\t{a=\"b\"}\t0.5\t1700000000000\n", 0.5)]
    [InlineData("vllm:kv_cache_usage_perc{a=\"}\\\"} 0.9\",b=\"\\\\\"} 0.5\n", 0.5)]
    public void Parse_KvUtilization_IsRead(string page, double expected)
    {
        Assert.Equal(expected, Parse(page).KvUtilizationRatio!.Value, 12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("vllm:num_requests_running 3\n")]
    [InlineData("# vllm:kv_cache_usage_perc 0.5\n")]
    [InlineData("vllm:kv_cache_usage_perc NaN\n")]
    [InlineData("vllm:kv_cache_usage_perc +Inf\n")]
    [InlineData("vllm:kv_cache_usage_perc -0.1\n")]
    [InlineData("vllm:kv_cache_usage_perc 1.5\n")]
    [InlineData("vllm:kv_cache_usage_perc full\n")]
    [InlineData("vllm:kv_cache_usage_perc \n")]
    [InlineData("vllm:kv_cache_usage_perc{a=\"b 0.5\n")]
    [InlineData("vllm:kv_cache_usage_perc{a=\"b\\\n")]
    [InlineData("vllm:kv_cache_usage_perc_total 0.5\n")]
    [InlineData("xvllm:kv_cache_usage_perc 0.5\n")]
    [InlineData("vllm:kv_cache_usage_perc{engine=\"0\"} 0.2\nvllm:kv_cache_usage_perc{engine=\"1\"} NaN\n")]
    public void Parse_NoUsableKvUtilization_IsUnknown(string page)
    {
        Assert.Null(Parse(page).KvUtilizationRatio);
    }

    [Fact]
    public void Parse_PageCutInTheLastLine_PassesItOver()
    {
        var parser = Parse("vllm:num_requests_running 12.0\nvllm:num_requests_waiting 1");

        Assert.Equal((12, (int?)null), (parser.RunningRequests, parser.WaitingRequests));
    }

    [Fact]
    public void Parse_TwoEngines_CountsAddUp()
    {
        var parser = Parse(
            """
            # HELP vllm:num_requests_waiting Number of requests waiting.
            # TYPE vllm:num_requests_waiting gauge
            vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
            vllm:num_requests_waiting{engine="1",model_name="m"} 4.0
            vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
            vllm:num_requests_running{engine="0"} 10.0
            vllm:num_requests_running{engine="1"} +Inf

            """);

        Assert.Equal((7, (int?)null), (parser.WaitingRequests, parser.RunningRequests));
    }

    [Fact]
    public void Parse_AnotherPage_ForgetsTheFirst()
    {
        var parser = Parse("vllm:num_requests_running 1\n");

        parser.Parse("vllm:num_requests_waiting 2\n"u8);

        Assert.Equal((null, 2), (parser.RunningRequests, parser.WaitingRequests));
    }

    [Fact]
    public void CopyExports_NamesOfThePolicy_CarryKnownValuesOnly()
    {
        var parser = new MetricsPageParser(
        [
            new MetricExportConfig("vllm:kv_cache_usage_perc", "kv-cache"),
            new MetricExportConfig("vllm:gpu_cache_usage_perc", "kv-cache-old"),
            new MetricExportConfig("vllm:num_requests_waiting", "queue"),
            new MetricExportConfig("DCGM_FI_DEV_GPU_UTIL", "gpu"),
            new MetricExportConfig("vllm:kv_cache_usage_perc", "kv-again"),
        ]);
        parser.Parse("vllm:kv_cache_usage_perc 0.5\nvllm:num_requests_waiting{e=\"0\"} 1\nvllm:num_requests_waiting{e=\"1\"} 2\nDCGM_FI_DEV_GPU_UTIL{g=\"0\"} 40\nDCGM_FI_DEV_GPU_UTIL{g=\"1\"} 60\n"u8);
        var exports = ImmutableSortedDictionary.CreateBuilder<string, double>();

        parser.CopyExports(exports);

        Assert.Equal("gpu=50 kv-again=0.5 kv-cache=0.5 queue=3", string.Join(' ', exports.Select(e => $"{e.Key}={e.Value}")));
    }

    [Fact]
    public void Parse_RandomDamage_NeverThrowsAndNeverInventsNegatives()
    {
        const ulong Seed = 99;
        var random = new Xoshiro256(Seed);
        var original = Encoding.UTF8.GetBytes("vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\nvllm:num_requests_waiting{a=\"\\\"}\"} 3\n# x\n");
        var parser = new MetricsPageParser([]);
        for (var i = 0; i < 20_000; i++)
        {
            var page = original.ToArray();
            for (var k = 0; k < 4; k++) page[random.NextInt32(page.Length)] = (byte)random.NextInt32(256);
            parser.Parse(page.AsSpan(0, random.NextInt32(page.Length + 1)));
            Assert.True(parser.KvUtilizationRatio is null or (>= 0 and <= 1), $"seed {Seed}, page {i}");
            Assert.True(parser.WaitingRequests is null or >= 0, $"seed {Seed}, page {i}");
        }
    }

    [Fact]
    public void Parse_SteadyState_AllocatesNothing()
    {
        var page = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 500).Select(i => $"vllm:e2e_request_latency_seconds_bucket{{le=\"{i}\"}} {i}\n"))
            + "vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\n");
        var parser = new MetricsPageParser([]);
        parser.Parse(page);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) parser.Parse(page);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static MetricsPageParser Parse(string page)
    {
        var parser = new MetricsPageParser([]);
        parser.Parse(Encoding.UTF8.GetBytes(page));
        return parser;
    }
}
