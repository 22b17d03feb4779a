namespace Mesh.Gateway.Admin.Shapes;

/// <summary>The gateway at a glance.</summary>
internal sealed record StateShape
{
    /// <summary>Version of this API.</summary>
    public string Api { get; } = "v1";

    /// <summary>Version of the software.</summary>
    public required string Version { get; init; }

    /// <summary>Gateway session: <c>gateway@epoch</c>.</summary>
    public required string Gateway { get; init; }

    /// <summary>Region served; empty for all of them.</summary>
    public required string Region { get; init; }

    /// <summary>Now, by the gateway's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>When the process began to serve.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Since then.</summary>
    public required double UptimeSeconds { get; init; }

    /// <summary>Version of the configuration in force.</summary>
    public required long ConfigurationVersion { get; init; }

    /// <summary>True when clients should be sent here.</summary>
    public required bool Ready { get; init; }

    /// <summary>Why not; absent when ready.</summary>
    public string? NotReadyReason { get; init; }

    /// <summary>What is wrong although requests are served, such as two config clusters; absent when nothing is.</summary>
    public string? Warning { get; init; }

    /// <summary>True when the reader of this had to show a key.</summary>
    public required bool AsksForKey { get; init; }

    /// <summary>Inference requests under way in this process.</summary>
    public required int OpenRequests { get; init; }

    /// <summary>Pools.</summary>
    public required int Pools { get; init; }

    /// <summary>Endpoints, each pool's counted.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Those that can be sent requests.</summary>
    public required int ReadyEndpoints { get; init; }

    /// <summary>Requests that wait in pools.</summary>
    public required int QueuedRequests { get; init; }

    /// <summary>Leases out.</summary>
    public required int Leases { get; init; }
}
