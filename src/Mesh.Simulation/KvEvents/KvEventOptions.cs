namespace Mesh.Simulation.KvEvents;

/// <summary>How a simulated server publishes what its cache holds, and what goes wrong on the way. Immutable.</summary>
public sealed record KvEventOptions
{
    /// <summary>Port of the PUB socket, 0–65535; 0 takes a free one. vLLM's is 5557.</summary>
    public int Port { get; init; }

    /// <summary>Port of the ROUTER socket that replays; 0 takes a free one, null has none.</summary>
    public int? ReplayPort { get; init; }

    /// <summary>Topic of every batch; empty by default, as vLLM's.</summary>
    public string Topic { get; init; } = "";

    /// <summary>True for the encoding of older servers: arrays instead of maps, integers for hashes.</summary>
    public bool OldEncoding { get; init; }

    /// <summary>Share of batches that are lost on the way to subscribers, 0–1; a replay still has them.</summary>
    public double LossRatio { get; init; }

    /// <summary>Time from a step to its batch's publication, 0–1 min.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Batches that wait for one subscriber at most, 1 or more; what exceeds it is lost to that subscriber.</summary>
    public int HighWaterMark { get; init; } = 100_000;

    /// <summary>Batches kept for replays, 1 or more.</summary>
    public int BufferBatches { get; init; } = 10_000;

    /// <summary>Decides which batches are lost.</summary>
    public ulong Seed { get; init; } = 1;

    internal void Validate(List<string> errors)
    {
        if (Port is < 0 or > 65535 || ReplayPort is < 0 or > 65535) errors.Add("ports of KV events must be 0–65535");
        if (!(LossRatio is >= 0 and <= 1)) errors.Add($"the share of lost KV events {LossRatio} is not 0–1");
        if (Delay < TimeSpan.Zero || Delay > TimeSpan.FromMinutes(1)) errors.Add($"the delay of KV events {Delay} is not 0–1 min");
        if (HighWaterMark < 1 || BufferBatches < 1) errors.Add("the bounds of KV events must be 1 or more");
    }
}
