using Mesh.Core.Randomness;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class EngineInvariantTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(20260701)]
    public void RandomOperations_AnySeed_BlocksAddUpAndEverySequenceEndsOnce(ulong seed)
    {
        for (var round = 0UL; round < 25; round++) Check(seed + (round * 1000));
    }

    [Fact]
    public void RandomOperations_SameSeed_GiveTheSameTrace()
    {
        var first = Play(7, 400).Trace;
        Assert.True(first.Count > 500);
        Assert.Equal(first, Play(7, 400).Trace);
        Assert.NotEqual(first, Play(8, 400).Trace);
    }

    private static void Check(ulong seed)
    {
        var added = 0;
        var aborted = 0;
        var driver = Play(seed, 300, (d, wasAdded, wasAborted) =>
        {
            added += wasAdded;
            aborted += wasAborted;
            var (referenced, unreferenced) = d.Engine.Pool.Audit();
            var ok = d.Engine.BlocksInUse + d.Engine.BlocksFree == d.Engine.Options.NumGpuBlocks
                && referenced == d.Engine.BlocksInUse
                && unreferenced <= d.Engine.BlocksFree
                && d.Engine.Running <= d.Engine.Options.MaxNumSeqs
                && d.Engine.Running + d.Engine.Waiting + d.Finished.Count + aborted == added;
            Assert.True(ok, $"seed {seed}: in use {d.Engine.BlocksInUse}, free {d.Engine.BlocksFree}, referenced {referenced}, running {d.Engine.Running}, waiting {d.Engine.Waiting}");
        });
        driver.Run();
        Assert.True(driver.Engine.BlocksInUse == 0 && driver.Finished.Count + aborted == added, $"seed {seed}: {driver.Finished.Count} + {aborted} of {added}");
        Assert.Equal(driver.Trace.Count(t => t.Contains(" first ") || t.Contains(" token ")), driver.Engine.Metrics.GenerationTokens);
    }

    private static EngineDriver Play(ulong seed, int operations, Action<EngineDriver, int, int>? after = null)
    {
        var random = new Xoshiro256(seed);
        var driver = new EngineDriver(new VllmModelOptions
        {
            NumGpuBlocks = 16 + random.NextInt32(64),
            BlockSize = 16,
            MaxModelLen = 256,
            MaxNumSeqs = 1 + random.NextInt32(16),
            MaxNumBatchedTokens = 32 + random.NextInt32(300),
            MaxLoras = 1 + random.NextInt32(2),
        });
        List<SequenceHandle> handles = [];
        for (var i = 0; i < operations; i++)
        {
            int added = 0, aborted = 0;
            switch (random.NextInt32(8))
            {
                case < 3:
                    var prompt = 1 + random.NextInt32(200);
                    handles.Add(driver.Add($"s{handles.Count}", prompt, 1 + random.NextInt32(100), EngineDriver.Hashes(16, (ulong)random.NextInt32(4)), random.NextInt32(4)));
                    added = 1;
                    break;
                case 3 when handles.Count > 0:
                    aborted = driver.Engine.Abort(handles[random.NextInt32(handles.Count)]) ? 1 : 0;
                    break;
                default:
                    driver.Step();
                    break;
            }

            after?.Invoke(driver, added, aborted);
        }

        return driver;
    }
}
