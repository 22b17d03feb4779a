using Mesh.Gateway.Inference.Retrying;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Retrying;

public sealed class RetryBudgetTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void TryTake_NoTraffic_GivesWhatIsSavedUpAndThenTheRate()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0.2, PerSecond = 10 }, _time);
        Assert.Equal(100, TakeAll(budget));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(20, TakeAll(budget));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(100, TakeAll(budget));
    }

    [Fact]
    public void TryTake_ManySmallSteps_EarnAsMuchAsOneLarge()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0, PerSecond = 10 }, _time);
        TakeAll(budget);
        var taken = 0;
        for (var i = 0; i < 5000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            if (budget.TryTake()) taken++;
        }

        Assert.InRange(taken, 49, 50);
    }

    [Fact]
    public void OnRequest_EachPaysInItsShare()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0.2, PerSecond = 10 }, _time);
        TakeAll(budget);
        for (var i = 0; i < 49; i++) budget.OnRequest();
        Assert.Equal(9, TakeAll(budget));
        budget.OnRequest();
        Assert.Equal(1, TakeAll(budget));
    }

    [Fact]
    public void TryTake_NeitherShareNorRate_GivesNone()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0, PerSecond = 0 }, _time);
        budget.OnRequest();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(budget.TryTake());
    }

    [Fact]
    public void GiveBack_CanBeTakenAgain()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0, PerSecond = 1 }, _time);
        Assert.Equal(10, TakeAll(budget));
        budget.GiveBack();
        Assert.Equal(1, TakeAll(budget));
    }

    [Fact]
    public async Task TryTake_ManyThreads_NeverGiveMoreThanThereIs()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Share = 0.5, PerSecond = 10 }, _time);
        var taken = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 8), async (_, _) =>
        {
            await Task.Yield();
            for (var i = 0; i < 1000; i++)
            {
                budget.OnRequest();
                if (budget.TryTake()) Interlocked.Increment(ref taken);
            }
        });
        Assert.InRange(taken, 100, 100 + 4000);
    }

    private static int TakeAll(RetryBudget budget)
    {
        var taken = 0;
        while (budget.TryTake()) taken++;
        return taken;
    }
}
