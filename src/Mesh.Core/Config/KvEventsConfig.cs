namespace Mesh.Core.Config;

/// <summary>Whether and where a pool's model servers publish what their caches hold.</summary>
public sealed record KvEventsConfig
{
    /// <summary>Nothing is published.</summary>
    public static KvEventsConfig None { get; } = new();

    /// <summary>True to follow the events; off by default.</summary>
    public bool Enabled { get; init; }

    /// <summary>Port of the first rank's publisher, 1–65535; the n-th rank's is n higher. 5557 by default.</summary>
    public int Port { get; init; } = 5557;

    /// <summary>Port at which the first rank replays what was missed; null without.</summary>
    public int? ReplayPort { get; init; }

    /// <summary>Topic to subscribe to, as a prefix; empty takes all.</summary>
    public string Topic { get; init; } = "";

    /// <summary>Data-parallel ranks of each server, 1–256; 1 by default.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>What a block that is offloaded from the accelerator is worth, 0–1; 0.7 by default.</summary>
    public double OffloadWeight { get; init; } = 0.7;
}
