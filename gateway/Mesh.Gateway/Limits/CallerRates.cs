namespace Mesh.Gateway.Limits;

/// <summary>What one key may use in a minute, and at once. Thread-safe.</summary>
internal sealed class CallerRates(int? requestsPerMinute, int? tokensPerMinute, TimeProvider time, int? maxConcurrent = null)
{
    private int _underWay;

    /// <summary>Requests; null without a limit.</summary>
    public TokenBucket? Requests { get; } = requestsPerMinute is { } requests ? new TokenBucket(requests, time) : null;

    /// <summary>Prompt and answer tokens; null without a limit.</summary>
    public TokenBucket? Tokens { get; } = tokensPerMinute is { } tokens ? new TokenBucket(tokens, time) : null;

    /// <summary>Requests that may be under way at once; null without a limit.</summary>
    public int? MaxConcurrent { get; } = maxConcurrent;

    /// <summary>Requests under way, as far as they are limited.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>One more request is under way, until <see cref="Leave"/>; false when there are as many as there may be.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _underWay) <= MaxConcurrent) return true;
        Interlocked.Decrement(ref _underWay);
        return false;
    }

    /// <summary>A request that entered is over.</summary>
    public void Leave() => Interlocked.Decrement(ref _underWay);

    /// <summary>True when these are the limits.</summary>
    public bool Have(int? requestsPerMinute, int? tokensPerMinute, int? maxConcurrent = null) =>
        Requests?.PerMinute == requestsPerMinute && Tokens?.PerMinute == tokensPerMinute && MaxConcurrent == maxConcurrent;

    /// <summary>True when nothing has been used for a minute and nothing is under way: a new one would be the same.</summary>
    public bool IsFull => UnderWay == 0 && IsFullOrNone(Requests) && IsFullOrNone(Tokens);

    private static bool IsFullOrNone(TokenBucket? bucket) => bucket is null || bucket.Read().UntilFull <= TimeSpan.Zero;
}
