using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class PrefixCacheTests
{
    [Fact]
    public void Admit_SecondIdenticalPromptOf160Tokens_ComputesItsLastBlockOnly()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        driver.Add("b", 160, 1, EngineDriver.Hashes(10, 1));
        // All ten blocks are cached, but one token at least must be computed, and blocks are found whole.
        Assert.Equal(16, driver.Step().PrefillTokens);
        Assert.Equal(144, driver.Finished["b"].Progress.CachedTokens);
        Assert.Equal((320, 144), (driver.Engine.Metrics.PrefixCacheQueries, driver.Engine.Metrics.PrefixCacheHits));
        Assert.Equal(144, driver.Engine.Metrics.PromptTokensCached);
    }

    [Fact]
    public void TryClear_RequestsUseBlocks_OnlyOnceTheyHaveEnded()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 161, 2, EngineDriver.Hashes(10, 1));
        driver.Step();
        Assert.False(driver.Engine.Pool.TryClear());
        driver.Run();
        Assert.True(driver.Engine.Pool.Cached >= 10);
        Assert.True(driver.Engine.Pool.TryClear());
        Assert.Equal((0, 0), (driver.Engine.Pool.Cached, driver.Engine.Pool.InUse));
        driver.Add("b", 161, 1, EngineDriver.Hashes(10, 1));
        Assert.Equal(161, driver.Step().PrefillTokens);
        Assert.Equal(10, driver.Engine.Pool.Cached);
    }

    [Fact]
    public void Admit_PromptOf161Tokens_FindsAllTenFullBlocks()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 161, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        driver.Add("b", 161, 1, EngineDriver.Hashes(10, 1));
        Assert.Equal(1, driver.Step().PrefillTokens);
        Assert.Equal(160, driver.Finished["b"].Progress.CachedTokens);
    }

    [Fact]
    public void Admit_SamePromptInTheSameStep_SharesBlocks()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 161, 2, EngineDriver.Hashes(10, 1));
        driver.Add("b", 161, 2, EngineDriver.Hashes(10, 1));
        Assert.Equal(162, driver.Step().PrefillTokens);
        Assert.Equal(12, driver.Engine.BlocksInUse);
    }

    [Fact]
    public void Admit_OtherBeginning_FindsNothing()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        driver.Add("a", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        driver.Add("b", 160, 1, EngineDriver.Hashes(10, 2));
        Assert.Equal(160, driver.Step().PrefillTokens);
    }

    [Fact]
    public void Admit_NextTurnOfASession_FindsTheAnswersBlocksToo()
    {
        var driver = new EngineDriver(new VllmModelOptions());
        var hashes = EngineDriver.Hashes(20, 1);
        driver.Add("a", 160, 100, hashes);
        driver.Run();
        driver.Add("b", 300, 1, hashes);
        driver.Run();
        // 160 + 99 computed tokens (the last token's keys are never computed) fill 16 blocks.
        Assert.Equal(256, driver.Finished["b"].Progress.CachedTokens);
    }

    [Fact]
    public void Admit_CachingOff_FindsNothing()
    {
        var driver = new EngineDriver(new VllmModelOptions { EnablePrefixCaching = false });
        driver.Add("a", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        driver.Add("b", 160, 1, EngineDriver.Hashes(10, 1));
        Assert.Equal(160, driver.Step().PrefillTokens);
        Assert.Equal(0, driver.Engine.BlocksCached);
    }

    [Fact]
    public void Take_CacheFull_EvictsTheLongestUnusedPromptFirst()
    {
        var driver = new EngineDriver(new VllmModelOptions { NumGpuBlocks = 30, MaxModelLen = 200 });
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL), ("c", 3UL) })
        {
            driver.Add(name, 160, 1, EngineDriver.Hashes(10, seed));
            driver.Run();
        }

        Assert.Equal((30, 0L), (driver.Engine.BlocksCached, driver.Engine.BlockEvictions));
        driver.Add("a2", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        Assert.Equal(144, driver.Finished["a2"].Progress.CachedTokens);

        // Nine of a's blocks are the newest now; its tenth went for the recomputed tail. A new prompt takes the places of b.
        driver.Add("d", 160, 1, EngineDriver.Hashes(10, 4));
        driver.Run();
        driver.Add("b2", 160, 1, EngineDriver.Hashes(10, 2));
        driver.Run();
        Assert.Equal(0, driver.Finished["b2"].Progress.CachedTokens);
        driver.Add("a3", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        Assert.Equal(144, driver.Finished["a3"].Progress.CachedTokens);
    }

    [Fact]
    public void Take_PromptPartlyEvicted_KeepsItsBeginning()
    {
        var driver = new EngineDriver(new VllmModelOptions { NumGpuBlocks = 20, MaxModelLen = 300 });
        driver.Add("a", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        driver.Add("b", 224, 1, EngineDriver.Hashes(14, 2));
        driver.Run();
        // b needed four of a's blocks; a sequence frees its tail first, so six blocks of a's beginning are left.
        driver.Add("a2", 160, 1, EngineDriver.Hashes(10, 1));
        driver.Run();
        Assert.Equal(96, driver.Finished["a2"].Progress.CachedTokens);
        Assert.True(driver.Engine.BlockEvictions >= 4);
    }
}
