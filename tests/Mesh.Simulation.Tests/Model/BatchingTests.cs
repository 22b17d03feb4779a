using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class BatchingTests
{
    private static readonly StepTimeTable Times = H100Llama8B.Table;

    [Fact]
    public void PlanStep_NothingToDo_IsIdle()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        Assert.True(driver.Step().IsIdle);
        Assert.True(double.IsNaN(driver.Engine.StepEndMs));
    }

    [Fact]
    public void Run_OneRequest_TakesPrefillThenDecodes()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", prompt: 512, output: 3);
        driver.Run();
        Assert.Equal(13.66, driver.FirstTokenMs["a"], 9);
        var expected = 13.66 + Times.DecodeMs(1, 513) + Times.DecodeMs(1, 514);
        Assert.Equal(expected, driver.Finished["a"].Progress.TimeMs, 9);
        Assert.Equal(FinishReason.Length, driver.Finished["a"].Reason);
        Assert.Equal(0, driver.Engine.BlocksInUse);
    }

    [Fact]
    public void Run_TwoEqualRequests_ShareEveryStep()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", prompt: 256, output: 4);
        driver.Add("b", prompt: 256, output: 4);
        Assert.Equal(4, driver.Run());
        Assert.Equal(13.66, driver.FirstTokenMs["a"], 9);
        Assert.Equal(driver.FirstTokenMs["a"], driver.FirstTokenMs["b"]);
        var expected = 13.66 + Times.DecodeMs(2, 257) + Times.DecodeMs(2, 258) + Times.DecodeMs(2, 259);
        Assert.Equal(expected, driver.NowMs, 9);
    }

    [Fact]
    public void PlanStep_PromptOf5000Tokens_TakesThreeChunks()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", prompt: 5000, output: 1);
        Assert.Equal(new StepPlan(52.259, 2048, 1, 0), driver.Step());
        var second = driver.Step();
        Assert.Equal(2048, second.PrefillTokens);
        Assert.Equal(108.269 - 52.259, second.DurationMs, 9);
        Assert.Empty(driver.FirstTokenMs);
        Assert.Equal(904, driver.Step().PrefillTokens);
        Assert.Equal(Times.PrefillMs(5000), driver.FirstTokenMs["a"], 6);
        Assert.Single(driver.Finished);
    }

    [Fact]
    public void PlanStep_ChunkBesideDecodes_LeavesTheDecodesTheirTokensOfTheBudget()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", prompt: 128, output: 50);
        driver.Step();
        driver.Add("b", prompt: 4000, output: 1);
        var mixed = driver.Step();
        Assert.Equal((2047, 1, 1), (mixed.PrefillTokens, mixed.PrefillSequences, mixed.DecodeSequences));
        Assert.Equal(Times.PrefillMs(2047) + Times.DecodeMs(1, 129) - 6.57, mixed.DurationMs, 9);
    }

    [Fact]
    public void PlanStep_MoreThanMaxNumSeqs_KeepsTheRestWaiting()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxNumSeqs = 2 });
        for (var i = 0; i < 5; i++) driver.Add($"s{i}", 16, 3);
        driver.Step();
        Assert.Equal((2, 3), (driver.Engine.Running, driver.Engine.Waiting));
        driver.Run();
        Assert.Equal(5, driver.Finished.Count);
    }

    [Fact]
    public void Run_AnswerBeyondMaxModelLen_EndsForLength()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxModelLen = 64 });
        driver.Add("a", prompt: 60, output: 100, ends: FinishReason.Stop);
        driver.Run();
        Assert.Equal((FinishReason.Length, 4), (driver.Finished["a"].Reason, driver.Finished["a"].Progress.GeneratedTokens));
    }

    [Fact]
    public void Add_PromptThatLeavesNoRoom_Throws()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxModelLen = 64 });
        Assert.Throws<ArgumentOutOfRangeException>(() => driver.Add("a", 64, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => driver.Add("a", 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => driver.Add("a", 1, 0));
    }

    [Fact]
    public void PlanStep_StepUnderWay_Throws()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 16, 1);
        driver.Engine.PlanStep(0);
        Assert.Throws<InvalidOperationException>(() => driver.Engine.PlanStep(0));
    }

    [Fact]
    public void Validate_CacheSmallerThanOneSequence_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new VllmEngine(new VllmModelOptions { NumGpuBlocks = 511 }));
}
