using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Decisions;

/// <summary>Which decisions are kept, and where they are written: section <c>Mesh:DecisionLog</c>.</summary>
internal sealed record DecisionLogOptions
{
    /// <summary>Share of requests whose decision is kept with its candidates, 0–1; by default 0: those that ask for it and refusals.</summary>
    [Range(0d, 1d)]
    public double SampleRate { get; set; }

    /// <summary>Decisions kept for each pool, 1–65,536; the oldest gives way.</summary>
    [Range(1, 65_536)]
    public int Capacity { get; set; } = 256;

    /// <summary>Refusals kept in each second and pool besides those that ask or are sampled, 0–10,000.</summary>
    [Range(0, 10_000)]
    public int RefusalsPerSecond { get; set; } = 10;

    /// <summary>True to write each kept decision of a request that has ended as one JSON line to the log category <c>Mesh.DecisionLog</c>.</summary>
    public bool WriteToLog { get; set; }
}
