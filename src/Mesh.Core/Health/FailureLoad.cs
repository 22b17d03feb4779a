namespace Mesh.Core.Health;

/// <summary>
/// Recent failures of one endpoint, counted as load. An endpoint that fails at once has nothing in flight and would look idle, and a
/// picker that prefers the idle would send it everything. So each failure leaves behind the weight of some requests (and of as many
/// times its own tokens), which decays by half-lives: <c>load(t) = min(max, load · decay + weight)</c>. A verdict of the prober that the
/// endpoint is healthy again clears it.
/// </summary>
internal struct FailureLoad
{
    /// <summary>No more than this many requests: above what an endpoint runs at a time, so that it counts, and gone within twenty half-lives.</summary>
    public const double MaxRequests = 1024;

    /// <summary>No more than this many tokens.</summary>
    public const double MaxTokens = 1 << 24;

    private double _requests;
    private double _tokens;
    private long _at;

    /// <summary>Adds one failure of a request with <paramref name="tokens"/> tokens that weighs as much as <paramref name="weight"/> requests.</summary>
    public void Add(double weight, long tokens, Decay decay)
    {
        var left = decay.Factor(_at);
        _requests = Math.Min(MaxRequests, _requests * left + weight);
        _tokens = Math.Min(MaxTokens, _tokens * left + weight * tokens);
        _at = decay.Now;
    }

    /// <summary>True when no failure was ever counted, or it was cleared.</summary>
    public readonly bool IsEmpty => _requests == 0;

    /// <summary>Failures, as requests in flight.</summary>
    public readonly double Requests(Decay decay) => _requests == 0 ? 0 : _requests * decay.Factor(_at);

    /// <summary>Failures, as tokens in flight.</summary>
    public readonly double Tokens(Decay decay) => _tokens == 0 ? 0 : _tokens * decay.Factor(_at);

    /// <summary>Forgets every failure.</summary>
    public void Clear() => this = default;
}
