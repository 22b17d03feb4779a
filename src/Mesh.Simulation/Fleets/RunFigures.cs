using System.Collections.Immutable;
using Mesh.Simulation.Reports;

namespace Mesh.Simulation.Fleets;

/// <summary>Every figure of one run. Rates are per second of the span of the arrivals.</summary>
internal sealed record RunFigures
{
    public required string Router { get; init; }

    /// <summary>How the load was asked for.</summary>
    public required string Load { get; init; }

    /// <summary>What it was played on, where several fleets are compared; null else.</summary>
    public string? Fleet { get; init; }

    /// <summary>What decided everything random; null where that is not said.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Requests that came.</summary>
    public required int Requests { get; init; }

    /// <summary>Requests that were refused or given up.</summary>
    public required int Refused { get; init; }

    /// <summary>Those by reason.</summary>
    public required ImmutableSortedDictionary<string, int> RefusedBy { get; init; }

    public required double OfferedPerSecond { get; init; }

    /// <summary>Requests per second within the SLO.</summary>
    public required double GoodputPerSecond { get; init; }

    /// <summary>Share of all requests that were answered within the SLO, 0–1.</summary>
    public required double GoodputShare { get; init; }

    public required Percentiles TtftMs { get; init; }

    public required Percentiles TpotMs { get; init; }

    public required Percentiles E2eMs { get; init; }

    /// <summary>Tokens of the prompts that were answered.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Tokens of their answers.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>Prompt tokens that engines found in their caches, 0–1.</summary>
    public required double PrefixHitRatio { get; init; }

    public required double LeastToMeanTokens { get; init; }

    public required double MostToMeanTokens { get; init; }

    /// <summary>Share of the requests sent that went to another region than their client's, 0–1.</summary>
    public required double CrossRegionShare { get; init; }

    /// <summary>Requests sent from each region (a row) to each (a column).</summary>
    public required ImmutableArray<ImmutableArray<long>> Flows { get; init; }

    /// <summary>Names of the regions.</summary>
    public required ImmutableArray<string> Regions { get; init; }

    /// <summary>What the fleet costs in an hour, in the currency of its prices; null where they are not told.</summary>
    public double? CostPerHour { get; init; }

    /// <summary>What 1,000,000 tokens of answers within the SLO cost at this load; null without prices or such answers.</summary>
    public double? CostPerMillionGoodTokens { get; init; }

    /// <summary>Virtual time of the last end.</summary>
    public required double VirtualSeconds { get; init; }

    public required long Events { get; init; }
}

/// <summary>A run's figures with what a picture of it needs.</summary>
/// <param name="Figures">The figures.</param>
/// <param name="TtftQuantilesMs">Time to first token at 0%, 0.5%, … 100% of the requests answered; empty when none was.</param>
/// <param name="Load">Load of each endpoint over time.</param>
/// <param name="RegionOf">Region of each endpoint.</param>
internal sealed record RunTrack(RunFigures Figures, ImmutableArray<double> TtftQuantilesMs, LoadMap Load, int[] RegionOf);
