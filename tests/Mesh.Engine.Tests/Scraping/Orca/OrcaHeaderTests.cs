using System.Text;
using Mesh.Engine.Scraping.Orca;
using Mesh.Engine.Tests.KvEvents;

namespace Mesh.Engine.Tests.Scraping.Orca;

public sealed class OrcaHeaderTests
{
    // cpu 0.25, mem 0.5, rps (a varint) 7, application 0.75, named num_requests_waiting 12, utilization kv_cache_usage_perc 0.5, a fixed32 of field 12
    private static readonly byte[] Message =
    [
        0x09, .. BitConverter.GetBytes(0.25), 0x11, .. BitConverter.GetBytes(0.5), 0x18, 7, 0x49, .. BitConverter.GetBytes(0.75),
        0x42, 31, 0x0A, 20, .. "num_requests_waiting"u8, 0x11, .. BitConverter.GetBytes(12.0),
        0x2A, 30, 0x0A, 19, .. "kv_cache_usage_perc"u8, 0x11, .. BitConverter.GetBytes(0.5), 0x65, 1, 2, 3, 4,
    ];

    [Theory]
    [InlineData("TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=12.0", "kv=0.4 waiting=12")]
    [InlineData("text \tcpu_utilization=0.3,mem_utilization = 0.8 ,application_utilization=1.5", "app=1.5 cpu=0.3 mem=0.8")]
    [InlineData("TEXT named_metrics.kv_cache_utilization=1.0000001,named_metrics.num_requests_running=3", "kv=1 running=3")]
    [InlineData("TEXT utilization.kv_cache_usage_perc=5e-05", "kv=5E-05")]
    [InlineData("TEXT foo=1,,=2,cpu_utilization,cpu_utilization=x,named_metrics.=3,named_metrics.num_requests_waiting=0", "waiting=0")]
    [InlineData("TEXT cpu_utilization=-1,mem_utilization=1.5,named_metrics.kv_cache_usage_perc=NaN,named_metrics.num_requests_waiting=1e99,rps_fractional=3", null)]
    [InlineData("TEXT", null)]
    [InlineData("TEXT ", null)] // what vLLM writes when it finds no metrics
    [InlineData("", null)]
    [InlineData("cpu_utilization=0.3", null)]
    [InlineData("TEXTcpu_utilization=0.3", null)]
    [InlineData("TEXT cpu_utilization=0.3 \u00e9", null)]
    [InlineData("JSON {\"named_metrics\": {\"kv_cache_usage_perc\": 0.4, \"num_requests_waiting\": 12.0}}", "kv=0.4 waiting=12")]
    [InlineData("JSON {\"cpuUtilization\":0.3,\"x\":{\"cpu_utilization\":9},\"y\":[1,{}],\"namedMetrics\":{\"num_requests_running\":4,\"z\":[2]},\"application_utilization\":2}", "app=2 cpu=0.3 running=4")]
    [InlineData("JSON {\"named_metrics\": 5, \"cpu_utilization\": 0.5}", "cpu=0.5")]
    [InlineData("JSON {\"named_metrics\": {\"kv_cache_usage_perc\": \"0.4\"}}", null)]
    [InlineData("JSON \"named_metrics\": {\"kv_cache_usage_perc\": 0.4}", null)]
    [InlineData("JSON {\"cpu_utilization\": 0.5", null)]
    [InlineData("JSON {\"cpu_utilization\": 0.5} x", null)]
    [InlineData("JSON {\"cpu_utilization\": 0.5} {}", null)]
    [InlineData("JSON [[[[[[[[[[[[]]]]]]]]]]]]", null)]
    [InlineData("BIN CQAAAAAAANA/", "cpu=0.25")]
    [InlineData("BIN CQAAAAAAANA", null)]
    [InlineData("BIN !!!!", null)]
    public void TryParse_Header_GivesWhatIsKnown(string value, string? expected)
    {
        Assert.Equal(expected is not null, OrcaHeader.TryParse(value, out var report));
        Assert.Equal(expected ?? "", Text(report));
        Assert.Equal(expected is not null, OrcaHeader.TryParse(Encoding.UTF8.GetBytes(value), out var same) && value.All(char.IsAscii));
        if (expected is not null) Assert.Equal(report, same);
    }

    [Fact]
    public void TryParseBinary_WithAndWithoutPadding_IsRead()
    {
        var base64 = Convert.ToBase64String(Message);

        foreach (var text in new[] { base64, base64.TrimEnd('=') })
        {
            Assert.True(OrcaHeader.TryParseBinary(text, out var report));
            Assert.Equal("app=0.75 cpu=0.25 mem=0.5 kv=0.5 waiting=12", Text(report));
        }
    }

    [Fact]
    public void TryParseBinary_MessageCutAnywhere_GivesNothingOrAWholePart()
    {
        for (var length = 0; length < Message.Length; length++)
        {
            OrcaHeader.TryParseBinary(Convert.ToBase64String(Message.AsSpan(0, length)), out var report);
            Assert.Contains(Text(report), new[] { "", "cpu=0.25", "cpu=0.25 mem=0.5", "app=0.75 cpu=0.25 mem=0.5", "app=0.75 cpu=0.25 mem=0.5 waiting=12", "app=0.75 cpu=0.25 mem=0.5 kv=0.5 waiting=12" });
        }
    }

    [Fact]
    public void TryParse_TooLong_IsPassedOver()
    {
        var start = "TEXT cpu_utilization=0.3,";
        Assert.True(OrcaHeader.TryParse(start + new string('x', OrcaHeader.MaxLength - start.Length), out _));
        Assert.False(OrcaHeader.TryParse(start + new string('x', OrcaHeader.MaxLength - start.Length + 1), out _));
    }

    [Fact]
    public void TryParse_TextAndBinary_AllocateNothing()
    {
        var text = "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=12.0";
        var json = "JSON {\"named_metrics\": {\"kv_cache_usage_perc\": 0.4}}";
        var binary = Convert.ToBase64String(Message);
        long allocated = 0;
        for (var i = 0; i < 200; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(OrcaHeader.TryParse(text, out _) && OrcaHeader.TryParse(json, out _) && OrcaHeader.TryParseBinary(binary, out _));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void TryParse_ManyDamagedHeaders_NeverThrowsAndKeepsTheRanges()
    {
        const ulong Seed = 77;
        var mutator = new ByteMutator(Seed, [.. new[]
        {
            "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=12.0,cpu_utilization=0.25",
            "JSON {\"cpu_utilization\":0.5,\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":12}}",
            "BIN " + Convert.ToBase64String(Message),
        }.Select(Encoding.ASCII.GetBytes)], 256);
        var read = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var input = mutator.Next();
            if (!OrcaHeader.TryParse(input, out var report)) OrcaHeader.TryParseBinary(input, out report);
            else read++;
            var sane = report.KvUtilizationRatio is null or (>= 0 and <= 1) && report.MemoryUtilizationRatio is null or (>= 0 and <= 1)
                && report.CpuUtilizationRatio is null or >= 0 && report.WaitingRequests is null or >= 0;
            Assert.True(sane, $"seed {Seed}, input {i}");
        }

        Assert.InRange(read, 10_000, 100_000);
    }

    private static string Text(OrcaReport report)
    {
        var parts = new (string Name, double? Value)[]
        {
            ("app", report.ApplicationUtilizationRatio), ("cpu", report.CpuUtilizationRatio), ("mem", report.MemoryUtilizationRatio),
            ("kv", report.KvUtilizationRatio), ("running", report.RunningRequests), ("waiting", report.WaitingRequests),
        };
        return string.Join(' ', parts.Where(p => p.Value is not null).Select(p => FormattableString.Invariant($"{p.Name}={p.Value}")));
    }
}
