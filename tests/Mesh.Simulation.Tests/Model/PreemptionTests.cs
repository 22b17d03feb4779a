using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class PreemptionTests
{
    private static readonly VllmModelOptions Tiny = new() { NumGpuBlocks = 10, MaxModelLen = 160 };

    [Fact]
    public void PlanStep_BlocksRunOut_SendsTheLatestBackAndRecomputesIt()
    {
        var driver = new EngineDriver(Tiny);
        driver.Add("a", 64, 64);
        driver.Add("b", 64, 64);
        while (driver.Engine.Metrics.Preemptions == 0) driver.Step();
        Assert.Equal((1, 1), (driver.Engine.Running, driver.Engine.Waiting));
        // Both had five blocks: 80 tokens, of which the 80th was the 16th generated, whose keys fit; the 17th needs a sixth block.
        driver.Run();
        Assert.Equal(1, driver.Engine.Metrics.Preemptions);
        Assert.True(driver.Finished["a"].Progress.TimeMs < driver.Finished["b"].Progress.TimeMs);
        Assert.Equal((64, 64), (driver.Finished["a"].Progress.GeneratedTokens, driver.Finished["b"].Progress.GeneratedTokens));
        Assert.Equal(128, driver.Engine.Metrics.GenerationTokens);
        Assert.Equal(128, driver.Engine.Metrics.PromptTokens);
        Assert.Equal(0, driver.Engine.BlocksInUse);
    }

    [Fact]
    public void Admit_AfterPreemption_CountsPrefixQueriesOnce()
    {
        var driver = new EngineDriver(Tiny);
        driver.Add("a", 64, 64, EngineDriver.Hashes(8, 1));
        driver.Add("b", 64, 64, EngineDriver.Hashes(8, 2));
        driver.Run();
        Assert.True(driver.Engine.Metrics.Preemptions > 0);
        Assert.Equal((128, 0), (driver.Engine.Metrics.PrefixCacheQueries, driver.Engine.Metrics.PrefixCacheHits));
    }

    [Fact]
    public void Admit_QueueHeadDoesNotFit_WaitsInOrder()
    {
        var driver = new EngineDriver(Tiny);
        driver.Add("a", 112, 16);
        driver.Add("big", 112, 16);
        driver.Add("small", 16, 1);
        driver.Step();
        Assert.Equal((1, 2), (driver.Engine.Running, driver.Engine.Waiting));
        driver.Run();
        Assert.True(driver.FirstTokenMs["big"] <= driver.FirstTokenMs["small"]);
    }

    [Fact]
    public void Abort_RunningSequence_FreesItsBlocksAtOnce()
    {
        var driver = new EngineDriver(Tiny);
        var handle = driver.Add("a", 64, 64);
        driver.Step();
        Assert.Equal(4, driver.Engine.BlocksInUse);
        Assert.True(driver.Engine.Abort(handle));
        Assert.Equal((0, 0, 0), (driver.Engine.BlocksInUse, driver.Engine.Running, driver.Engine.Waiting));
        Assert.False(driver.Engine.Abort(handle));
        Assert.Equal(1, driver.Engine.Metrics.Finished(FinishReason.Abort));
    }

    [Fact]
    public void Abort_WhileAStepIsUnderWay_TheStepEndsWithoutIt()
    {
        var driver = new EngineDriver(Tiny);
        var a = driver.Add("a", 16, 2);
        driver.Add("b", 16, 2);
        driver.Engine.PlanStep(0);
        driver.Engine.Abort(a);
        driver.Engine.CompleteStep(driver);
        Assert.Equal(["b"], driver.FirstTokenMs.Keys);
    }

    [Fact]
    public void Abort_HandleOfAnEndedSequence_DoesNotTouchTheSlotsNextOne()
    {
        var driver = new EngineDriver(Tiny);
        var old = driver.Add("a", 16, 1);
        driver.Run();
        driver.Add("b", 16, 1);
        Assert.False(driver.Engine.Abort(old));
        driver.Run();
        Assert.Contains("b", driver.Finished.Keys);
    }
}
