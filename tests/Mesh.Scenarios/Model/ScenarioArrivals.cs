namespace Mesh.Scenarios;

/// <summary>One stream of requests that are alike.</summary>
public sealed record ScenarioArrivals
{
    public ArrivalKind Kind { get; init; }

    /// <summary>Mean rate of an open stream.</summary>
    public double PerSecond { get; init; }

    /// <summary>Clients of a closed one: each sends its next request when the last has ended.</summary>
    public int Clients { get; init; }

    public double FromSeconds { get; init; }

    /// <summary>End; that of the scenario when null.</summary>
    public double? UntilSeconds { get; init; }

    /// <summary>Mean time from placement to completion.</summary>
    public double ServiceSeconds { get; init; } = 1;

    public ServiceKind Service { get; init; }

    /// <summary>Share of its endpoint's KV cache that one request takes while it runs.</summary>
    public double KvPerRequest { get; init; }

    public int Priority { get; init; }

    public string FairnessId { get; init; } = "";

    public string? Model { get; init; }

    public int PromptTokens { get; init; } = 100;

    public int BodyBytes { get; init; } = 400;

    /// <summary>Number of sessions whose affinity keys the requests carry in turn; 0: none.</summary>
    public int Sessions { get; init; }

    /// <summary>How long a client waits for a placement before it leaves; for ever when null.</summary>
    public double? PatienceSeconds { get; init; }
}

/// <summary>When requests come.</summary>
public enum ArrivalKind
{
    /// <summary>At equal distances.</summary>
    Even,

    /// <summary>Independently of each other.</summary>
    Poisson,

    /// <summary>As many at a time as there are clients.</summary>
    Closed,
}

/// <summary>How service times spread.</summary>
public enum ServiceKind
{
    /// <summary>All alike.</summary>
    Constant,

    /// <summary>Exponentially.</summary>
    Exponential,

    /// <summary>Evenly between half and one and a half times the mean.</summary>
    Uniform,
}
