namespace Mesh.Engine;

/// <summary>Where one state machine of the mesh runs, for people; for engines whose machines run in other processes. Immutable.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Key">Its name among its kind: a pool's <c>namespace/name</c>, or the name of a cluster or region.</param>
/// <param name="Host">Process that it runs on, as its cluster of processes calls it.</param>
public sealed record MachineSnapshot(MachineKind Kind, string Key, string Host)
{
    /// <summary>Rises whenever it begins anew; 0 for machines that have nothing to lose.</summary>
    public long Epoch { get; init; }

    /// <summary>How long it has run there.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Endpoints that it looks after; 0 for those that look after none.</summary>
    public int Endpoints { get; init; }

    /// <summary>Those of them that are healthy.</summary>
    public int ReadyEndpoints { get; init; }

    /// <summary>Age of the oldest of their newest samples; null without any.</summary>
    public TimeSpan? SampleAge { get; init; }

    /// <summary>Version of the configuration that it publishes; 0 where it publishes none.</summary>
    public long ConfigVersion { get; init; }
}

/// <summary>What a <see cref="MachineSnapshot"/> is of.</summary>
public enum MachineKind
{
    /// <summary>A pool.</summary>
    Pool,

    /// <summary>A cluster, with the endpoints of which it keeps count.</summary>
    Cluster,

    /// <summary>A region.</summary>
    Region,
}
