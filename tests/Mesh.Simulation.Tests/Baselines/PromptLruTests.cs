using Mesh.Simulation.Baselines;

namespace Mesh.Simulation.Tests.Baselines;

public class PromptLruTests
{
    [Fact]
    public void Match_CountsBlocksOf64Tokens()
    {
        var record = new PromptLru(1000);
        Assert.Equal(0, record.Match([1, 2], 1024));
        record.Add([1, 2], 700);
        Assert.Equal(10, record.Blocks);
        Assert.Equal(10, record.Match([1, 2], 1024));
        Assert.Equal(8, record.Match([1, 3], 1024));
        Assert.Equal(5, record.Match([1], 350));
        record.Add([1, 2], 1024);
        Assert.Equal(16, record.Blocks);
        Assert.Equal(16, record.Match([1, 2, 3], 1536));
    }

    [Fact]
    public void Add_Full_ForgetsFromTheOldestPromptsBeginning()
    {
        var record = new PromptLru(16);
        record.Add([1, 2], 1024);
        record.Add([3], 64);
        Assert.Equal(16, record.Blocks);
        Assert.Equal(7, record.Match([1, 2], 1024));
        record.Add([3, 4], 1024);
        Assert.Equal(0, record.Match([1, 2], 1024));
        Assert.Equal(16, record.Match([3, 4], 1024));
    }
}
