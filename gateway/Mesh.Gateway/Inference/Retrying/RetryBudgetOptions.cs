using System.ComponentModel.DataAnnotations;

namespace Mesh.Gateway.Inference.Retrying;

/// <summary>How many attempts on other endpoints a pool's requests may cause together; section <c>Mesh:RetryBudget</c>.</summary>
internal sealed record RetryBudgetOptions
{
    /// <summary>Retries for one request, 0–1: the share of live traffic that may be sent again.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; set; } = 0.2;

    /// <summary>Retries per second that are allowed beside the share, 0–10,000, lest a pool with little traffic have none. Ten seconds of them are saved up.</summary>
    [Range(0, 10_000)]
    public int PerSecond { get; set; } = 10;
}
