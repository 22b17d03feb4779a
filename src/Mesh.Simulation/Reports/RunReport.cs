namespace Mesh.Simulation.Reports;

/// <summary>Figures of one run of one router. Rates are per second of the arrivals' span.</summary>
internal sealed record RunReport
{
    public required string Router { get; init; }

    public required int Requests { get; init; }

    public required int Refused { get; init; }

    public required double OfferedPerSecond { get; init; }

    /// <summary>Requests per second within the SLO.</summary>
    public required double GoodputPerSecond { get; init; }

    public required Percentiles Ttft { get; init; }

    public required Percentiles Tpot { get; init; }

    public required Percentiles E2e { get; init; }

    /// <summary>Prompt tokens that engines found in their caches, 0–1.</summary>
    public required double PrefixHitRatio { get; init; }

    public required UtilizationSpread Spread { get; init; }

    /// <summary>Virtual time of the last end.</summary>
    public required double VirtualSeconds { get; init; }

    public required long Events { get; init; }
}
