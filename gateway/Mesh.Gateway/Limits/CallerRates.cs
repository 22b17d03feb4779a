namespace Mesh.Gateway.Limits;

/// <summary>What one key may use in a minute. Thread-safe.</summary>
internal sealed class CallerRates(int? requestsPerMinute, int? tokensPerMinute, TimeProvider time)
{
    /// <summary>Requests; null without a limit.</summary>
    public TokenBucket? Requests { get; } = requestsPerMinute is { } requests ? new TokenBucket(requests, time) : null;

    /// <summary>Prompt and answer tokens; null without a limit.</summary>
    public TokenBucket? Tokens { get; } = tokensPerMinute is { } tokens ? new TokenBucket(tokens, time) : null;

    /// <summary>True when these are the limits.</summary>
    public bool Have(int? requestsPerMinute, int? tokensPerMinute) => Requests?.PerMinute == requestsPerMinute && Tokens?.PerMinute == tokensPerMinute;

    /// <summary>True when nothing has been used for a minute: a new one would be the same.</summary>
    public bool IsFull => IsFullOrNone(Requests) && IsFullOrNone(Tokens);

    private static bool IsFullOrNone(TokenBucket? bucket) => bucket is null || bucket.Read().UntilFull <= TimeSpan.Zero;
}
