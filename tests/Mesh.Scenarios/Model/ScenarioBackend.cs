using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Mesh.Core.Config;

namespace Mesh.Scenarios;

/// <summary>One backend: a cluster with one zone and one port.</summary>
public sealed record ScenarioBackend
{
    /// <summary>Name, by which events and results refer to it.</summary>
    public required string Cluster { get; init; }

    /// <summary>Region; the cluster's name when null.</summary>
    public string? Region { get; init; }

    public string Zone { get; init; } = "a";

    /// <summary>Number of endpoints, named <c>cluster-00:8000</c> and on.</summary>
    public int Endpoints { get; init; } = 2;

    /// <summary>How many of them answer their probes, from the first on; all when null.</summary>
    public int? HealthyEndpoints { get; init; }

    /// <summary>Whether its endpoints answer scrapes.</summary>
    public bool Scraped { get; init; } = true;

    /// <summary>Models that its endpoints list; default: they do not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ImmutableArray<string> Models { get; init; }

    public BackendSettings Settings { get; init; } = new();
}
