namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>Where one engine of a model server publishes what its cache holds.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Port of the PUB socket, 1–65535; vLLM's default is 5557 plus the rank.</param>
/// <param name="ReplayPort">Port of the ROUTER socket that replays what was missed, or null if it has none (vLLM's default).</param>
/// <param name="DataParallelRank">The engine's rank; 0 without data parallelism. The ports are already this rank's.</param>
/// <param name="Topic">Prefix of the topics to receive; empty for all, which is vLLM's default.</param>
public sealed record KvEventSource(string Host, int Port, int? ReplayPort = null, int DataParallelRank = 0, string Topic = "")
{
    /// <summary>The source of another rank of the same server: vLLM adds the rank to both ports of rank 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rank is negative or gives a port above 65535.</exception>
    public KvEventSource ForRank(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        var shift = rank - DataParallelRank;
        var source = this with { Port = Port + shift, ReplayPort = ReplayPort + shift, DataParallelRank = rank };
        source.Validate();
        return source;
    }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Host);
        ArgumentNullException.ThrowIfNull(Topic);
        ArgumentOutOfRangeException.ThrowIfNegative(DataParallelRank);
        ValidatePort(Port);
        if (ReplayPort is { } replay) ValidatePort(replay);
    }

    private static void ValidatePort(int port)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
    }
}
