using Mesh.Gateway.Limits;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Limits;

public sealed class TokenBucketTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void TryTake_UpToAMinutesWorth_ThenAsTimeGoes()
    {
        var bucket = new TokenBucket(60, _time);
        Assert.True(bucket.TryTake(60, out _));
        Assert.False(bucket.TryTake(1, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(bucket.TryTake(2, out wait));
        Assert.Equal(TimeSpan.Zero, wait);
        Assert.False(bucket.TryTake(1, out _));
    }

    [Fact]
    public void TryTake_NeverHoldsMoreThanAMinutesWorth()
    {
        var bucket = new TokenBucket(60, _time);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.TryTake(60, out _));
        Assert.False(bucket.TryTake(1, out _));
    }

    [Fact]
    public void Correct_MoreWasUsed_IsOwedUpToAMinutesWorth()
    {
        var bucket = new TokenBucket(600, _time);
        Assert.True(bucket.TryTake(100, out _));
        bucket.Correct(700);
        Assert.Equal(0, bucket.Read().Remaining);
        Assert.False(bucket.TryTake(0, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(20), wait);
        bucket.Correct(1_000_000_000_000);
        Assert.Equal(TimeSpan.FromMinutes(2), bucket.Read().UntilFull);
    }

    [Fact]
    public void Correct_LessWasUsed_ComesBackUpToFull()
    {
        var bucket = new TokenBucket(600, _time);
        Assert.True(bucket.TryTake(100, out _));
        bucket.Correct(-60);
        Assert.Equal((560, TimeSpan.FromSeconds(4)), bucket.Read());
        bucket.Correct(-600);
        Assert.Equal((600, TimeSpan.Zero), bucket.Read());
    }

    [Fact]
    public void Rates_OutliveAnEditThatKeepsThem()
    {
        var table = new RateTable(_time, maxNames: 2);
        var first = table.For("a", 10, null);
        Assert.True(first.Requests!.TryTake(10, out _));
        Assert.Same(first, table.For("a", 10, null));
        Assert.NotSame(first, table.For("a", 20, null));
    }

    [Fact]
    public void Rates_TooManyNames_FullOnesAreForgottenFirst()
    {
        var table = new RateTable(_time, maxNames: 2);
        var used = table.For("used", 10, null);
        Assert.True(used.Requests!.TryTake(1, out _));
        table.For("idle", 10, 10);
        table.For("new", 10, null);
        Assert.Equal(2, table.Count);
        Assert.Same(used, table.For("used", 10, null));
    }

    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(0.0001, "1ms")]
    [InlineData(0.12, "120ms")]
    [InlineData(1, "1s")]
    [InlineData(6.5, "6.5s")]
    [InlineData(60, "1m0s")]
    [InlineData(71.2, "1m12s")]
    public void Duration_AsOpenAiWritesIt(double seconds, string expected) => Assert.Equal(expected, RateHeaders.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Headers_OnlyForLimitsThatThereAre()
    {
        var headers = new HeaderDictionary();
        RateHeaders.Set(headers, null);
        Assert.Empty(headers);
        var rates = new CallerRates(60, null, _time);
        Assert.True(rates.Requests!.TryTake(1, out _));
        RateHeaders.Set(headers, rates);
        Assert.Equal(
            ("60", "59", "1s"),
            (headers["x-ratelimit-limit-requests"].ToString(), headers["x-ratelimit-remaining-requests"].ToString(), headers["x-ratelimit-reset-requests"].ToString()));
        Assert.Equal(3, headers.Count);
    }

    [Fact]
    public void Budget_TakesAndGivesBack()
    {
        var budget = new BodyBudget(100);
        Assert.True(budget.TryTake(60));
        Assert.False(budget.TryTake(41));
        Assert.True(budget.TryTake(40));
        budget.Return(60);
        Assert.Equal(40, budget.Taken);
    }
}
