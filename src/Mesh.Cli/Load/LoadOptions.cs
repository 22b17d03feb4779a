namespace Mesh.Cli.Load;

/// <summary>How requests that no trace times come in.</summary>
internal enum ArrivalPattern
{
    /// <summary>Exponential gaps: many independent clients.</summary>
    Poisson,

    /// <summary>Equal gaps.</summary>
    Uniform,

    /// <summary>Gaps of the same mean that vary more: crowds and lulls.</summary>
    Bursty,
}

/// <summary>Which of the API's two text generations is called.</summary>
internal enum LoadApi
{
    /// <summary><c>/v1/completions</c>.</summary>
    Completions,

    /// <summary><c>/v1/chat/completions</c>.</summary>
    Chat,
}

/// <summary>What a load is made of and where it goes. Every bound is here.</summary>
internal sealed record LoadOptions
{
    /// <summary>Address that every request is posted to.</summary>
    public required Uri Target { get; init; }

    /// <summary>Name in the requests' <c>model</c>.</summary>
    public required string Model { get; init; }

    public LoadApi Api { get; init; } = LoadApi.Completions;

    /// <summary>Answers come as server-sent events.</summary>
    public bool Stream { get; init; } = true;

    /// <summary>Asks for exactly the planned tokens (<c>ignore_eos</c>, which vLLM and its kin know).</summary>
    public bool IgnoreEos { get; init; } = true;

    /// <summary>vLLM's <c>priority</c> in the body; null leaves it out.</summary>
    public int? Priority { get; init; }

    /// <summary>Headers of every request, the key among them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Decides times, lengths and texts.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Requests per second; null takes the trace's own.</summary>
    public double? Rate { get; init; }

    /// <summary>Multiplies the rate, above 0.</summary>
    public double RateScale { get; init; } = 1;

    public ArrivalPattern Arrivals { get; init; } = ArrivalPattern.Poisson;

    /// <summary>Standard deviation of bursty gaps as a multiple of their mean, 1–100.</summary>
    public double Burstiness { get; init; } = 3;

    /// <summary>No request is planned at or after it; null without a bound.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Requests at most.</summary>
    public long Requests { get; init; } = long.MaxValue;

    /// <summary>Recorded trace; null makes requests up.</summary>
    public string? TraceFile { get; init; }

    /// <summary>Part of the trace that is played.</summary>
    public TraceSlice Slice { get; init; } = TraceSlice.All;

    public Lengths PromptTokens { get; init; }

    public Lengths OutputTokens { get; init; }

    /// <summary>Means for generated sessions, whose lengths are exponential.</summary>
    public (int Prompt, int Output) SessionMeans { get; init; } = (400, 200);

    /// <summary>Different texts that prompts begin with; 0 shares nothing.</summary>
    public int Prefixes { get; init; }

    /// <summary>Tokens of each of them, counted in the prompt: a prompt drawn shorter is made one token longer than them.</summary>
    public int PrefixTokens { get; init; } = 1024;

    /// <summary>Mean turns of a session; 1 makes every request its own.</summary>
    public double Turns { get; init; } = 1;

    /// <summary>Mean time between two turns' arrivals.</summary>
    public TimeSpan ThinkTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests planned before it are sent and not counted.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>Connections at most; a request that finds none free waits, and its wait counts.</summary>
    public int Connections { get; init; } = 10_000;

    /// <summary>A request that comes while so many are under way is not sent and counts as an error.</summary>
    public int MaxInFlight { get; init; } = 10_000;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From sending to the last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Certificates are not checked.</summary>
    public bool Insecure { get; init; }

    /// <summary>What a good answer keeps to.</summary>
    public Slo Slo { get; init; } = new();
}

/// <summary>Service level that goodput counts by; null is not asked for.</summary>
/// <param name="Ttft">Planned arrival to first token.</param>
/// <param name="Tpot">Mean time of each further token.</param>
/// <param name="EndToEnd">Planned arrival to last byte.</param>
internal sealed record Slo(TimeSpan? Ttft = null, TimeSpan? Tpot = null, TimeSpan? EndToEnd = null);
