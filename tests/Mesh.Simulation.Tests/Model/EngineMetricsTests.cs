using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class EngineMetricsTests
{
    [Fact]
    public void Run_OneRequest_CountsItsTokensAndTimes()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 512, 5, ends: FinishReason.Stop);
        driver.Run();
        var m = driver.Engine.Metrics;
        var decodeSeconds = (driver.NowMs - 13.66) / 1000;
        Assert.Equal((512, 5, 5), (m.PromptTokens, m.GenerationTokens, m.Steps));
        Assert.Equal((1, 0, 0), (m.Finished(FinishReason.Stop), m.Finished(FinishReason.Length), m.Finished(FinishReason.Abort)));
        Assert.Equal(0.01366, m.TimeToFirstToken.Sum, 12);
        Assert.Equal(4, m.InterTokenLatency.Count);
        Assert.Equal(decodeSeconds, m.InterTokenLatency.Sum, 9);
        Assert.Equal(decodeSeconds / 4, m.TimePerOutputToken.Sum, 9);
        Assert.Equal(driver.NowMs / 1000, m.E2eLatency.Sum, 9);
        Assert.Equal(0, m.QueueTime.Sum);
        Assert.Equal(0.01366, m.PrefillTime.Sum, 9);
        Assert.Equal(decodeSeconds, m.DecodeTime.Sum, 9);
        Assert.Equal(513 + 4, m.IterationTokens.Sum);
    }

    [Fact]
    public void Run_SecondRequestWaits_QueueTimeIsTheFirstOnesStep()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 2048, 1);
        driver.Add("b", 16, 1);
        driver.Run();
        Assert.Equal(H100Llama8B.Table.PrefillMs(2048) / 1000, driver.Engine.Metrics.QueueTime.Sum, 9);
    }

    [Fact]
    public void Observe_ValueOnABound_FallsInThatBucket()
    {
        var histogram = new Histogram([1, 2, 5]);
        histogram.Observe(1);
        histogram.Observe(1.5, 3);
        histogram.Observe(5);
        histogram.Observe(5.1);
        Assert.Equal([1L, 3, 1, 1], histogram.Counts.ToArray());
        Assert.Equal((6, 15.6), (histogram.Count, Math.Round(histogram.Sum, 9)));
    }

    [Fact]
    public void OneTwoFive_UpToLimit_StopsThere() =>
        Assert.Equal([1, 2, 5, 10, 20, 50, 100], Histogram.OneTwoFive(100));
}
