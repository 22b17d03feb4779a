namespace Mesh.Core.Tests.Routing;

/// <summary>The profile mesh under random operations, reproducible from the seed that a failure prints.</summary>
public sealed class MeshPropertyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void TenThousandOperations_LateBinding_EverythingAddsUp(ulong seed)
    {
        var run = new MeshRun(seed);
        for (var i = 0; i < 10_000; i++)
        {
            var what = run.Step();
            Assert.True(run.Violation is null, $"seed {seed}, operation {i}: {run.Violation} after {what}");
        }

        Assert.True(run.MostEjected >= 2, $"seed {seed}: at most {run.MostEjected} were ejected at a time");
        Assert.True(run.SentAtOnce > 300 && run.SentAfterWaiting > 300, $"seed {seed}: {run.SentAtOnce} sent at once, {run.SentAfterWaiting} after waiting");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void FiveThousandOperations_TwoInstances_GiveEqualTraces(ulong seed)
    {
        var (first, second) = (new MeshRun(seed), new MeshRun(seed));
        for (var i = 0; i < 5000; i++)
        {
            var expected = first.Step();
            var actual = second.Step();
            Assert.True(expected == actual, $"seed {seed}, operation {i}: {expected} and {actual}");
        }
    }
}
