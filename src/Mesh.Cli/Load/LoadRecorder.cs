namespace Mesh.Cli.Load;

/// <summary>What became of the requests so far. Thread-safe; its memory does not grow with their number.</summary>
internal sealed class LoadRecorder(LoadOptions options)
{
    private const int MaxNames = 1000;
    private const string Others = "(others)";

    private readonly Lock _lock = new();
    private readonly Dictionary<(OutcomeKind Kind, string Detail), long> _errors = [];
    private readonly Dictionary<string, long> _endpoints = new(StringComparer.Ordinal);
    private long _planned;
    private long _warmUp;
    private long _answered;
    private long _failed;
    private long _interrupted;
    private long _good;
    private long _promptTokens;
    private long _outputTokens;
    private long _cachedTokens;
    private long _answersWithCachedTokens;
    private long _chunks;
    private int _inFlight;
    private int _mostInFlight;
    private long _lastEndUs;

    /// <summary>Planned arrival to first token.</summary>
    public LatencyHistogram Ttft { get; } = new();

    /// <summary>Mean time of each token after the first, of answers with two or more.</summary>
    public LatencyHistogram Tpot { get; } = new();

    /// <summary>Planned arrival to last byte.</summary>
    public LatencyHistogram EndToEnd { get; } = new();

    /// <summary>Planned arrival to the moment of sending: the generator's own delay.</summary>
    public LatencyHistogram Lateness { get; } = new();

    /// <summary>Requests whose time has come, without those of the warm-up.</summary>
    public long Planned => Volatile.Read(ref _planned);

    /// <summary>Requests of the warm-up, which count nowhere else.</summary>
    public long WarmUp => Volatile.Read(ref _warmUp);

    public long Answered => Volatile.Read(ref _answered);

    public long Failed => Volatile.Read(ref _failed);

    public long Interrupted => Volatile.Read(ref _interrupted);

    /// <summary>Answers within the service level.</summary>
    public long Good => Volatile.Read(ref _good);

    public long PromptTokens => Volatile.Read(ref _promptTokens);

    public long OutputTokens => Volatile.Read(ref _outputTokens);

    /// <summary>Prompt tokens that servers say they found in their caches.</summary>
    public long CachedTokens => Volatile.Read(ref _cachedTokens);

    /// <summary>Answers that told of cached tokens.</summary>
    public long AnswersWithCachedTokens => Volatile.Read(ref _answersWithCachedTokens);

    public long Chunks => Volatile.Read(ref _chunks);

    public int InFlight => Volatile.Read(ref _inFlight);

    public int MostInFlight => Volatile.Read(ref _mostInFlight);

    /// <summary>When the last counted request ended.</summary>
    public TimeSpan LastEnd => TimeSpan.FromMicroseconds(Volatile.Read(ref _lastEndUs));

    /// <summary>Takes a place for a request that is sent at once; false when as many are under way as are allowed.</summary>
    public bool TryBegin()
    {
        var now = Interlocked.Increment(ref _inFlight);
        if (now > options.MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            return false;
        }

        var most = Volatile.Read(ref _mostInFlight);
        while (now > most && Interlocked.CompareExchange(ref _mostInFlight, now, most) is var was && was != most) most = was;
        return true;
    }

    /// <summary>Gives the place back.</summary>
    public void End() => Interlocked.Decrement(ref _inFlight);

    /// <summary>Counts a request's end.</summary>
    /// <param name="planned">Its planned arrival.</param>
    /// <param name="sent">When it was sent; null when it was not.</param>
    /// <param name="outcome">How it ended.</param>
    public void Record(TimeSpan planned, TimeSpan? sent, in Outcome outcome)
    {
        if (planned < options.WarmUp)
        {
            Interlocked.Increment(ref _warmUp);
            return;
        }

        Interlocked.Increment(ref _planned);
        if (sent is { } moment) Lateness.Record(moment - planned);
        if (outcome.Kind == OutcomeKind.Interrupted)
        {
            Interlocked.Increment(ref _interrupted);
            return;
        }

        var endUs = outcome.End.Ticks / TimeSpan.TicksPerMicrosecond;
        var last = Volatile.Read(ref _lastEndUs);
        while (endUs > last && Interlocked.CompareExchange(ref _lastEndUs, endUs, last) is var was && was != last) last = was;
        if (outcome.Endpoint is { } endpoint) Count(_endpoints, endpoint, Others);
        if (outcome.Kind == OutcomeKind.Answered) RecordAnswer(planned, outcome);
        else RecordFailure(outcome);
    }

    /// <summary>Errors with their number, the most frequent first.</summary>
    public List<(OutcomeKind Kind, string Detail, long Count)> Errors()
    {
        lock (_lock)
        {
            return [.. _errors.Select(e => (e.Key.Kind, e.Key.Detail, e.Value)).OrderByDescending(e => e.Value).ThenBy(e => e.Kind).ThenBy(e => e.Detail, StringComparer.Ordinal)];
        }
    }

    /// <summary>Endpoints that the gateway named, with the requests of each, in order of name.</summary>
    public List<(string Name, long Count)> Endpoints()
    {
        lock (_lock)
        {
            return [.. _endpoints.Select(e => (e.Key, e.Value)).OrderBy(e => e.Key, StringComparer.Ordinal)];
        }
    }

    private void RecordAnswer(TimeSpan planned, in Outcome outcome)
    {
        var ttft = outcome.First - planned;
        var endToEnd = outcome.End - planned;
        var tokens = outcome.OutputTokens;
        // Where one event carries all tokens, as in an answer that is no stream, there is no time between tokens to tell of.
        TimeSpan? tpot = outcome.Chunks > 1 && tokens > 1 ? (outcome.Last - outcome.First) / (tokens - 1) : null;
        if (options.Stream) Ttft.Record(ttft);
        if (tpot is { } t) Tpot.Record(t);
        EndToEnd.Record(endToEnd);
        var slo = options.Slo;
        if (!(ttft > slo.Ttft) && !(tpot > slo.Tpot) && !(endToEnd > slo.EndToEnd)) Interlocked.Increment(ref _good);
        Interlocked.Add(ref _chunks, outcome.Chunks);
        Interlocked.Add(ref _outputTokens, tokens);
        if (outcome.Usage.PromptTokens > 0) Interlocked.Add(ref _promptTokens, outcome.Usage.PromptTokens);
        if (outcome.Usage.CachedTokens >= 0)
        {
            Interlocked.Add(ref _cachedTokens, outcome.Usage.CachedTokens);
            Interlocked.Increment(ref _answersWithCachedTokens);
        }

        Interlocked.Increment(ref _answered);
    }

    private void RecordFailure(in Outcome outcome)
    {
        Interlocked.Increment(ref _failed);
        Count(_errors, (outcome.Kind, outcome.Detail ?? ""), (outcome.Kind, Others));
    }

    // Servers choose these names: a bound keeps one that makes them up from filling the memory.
    private void Count<T>(Dictionary<T, long> counts, T name, T others)
        where T : notnull
    {
        lock (_lock)
        {
            var key = counts.ContainsKey(name) || counts.Count < MaxNames ? name : others;
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }
    }
}
