namespace Mesh.Gateway.Federation.Configuration;

/// <summary>What operators read about the configuration that regions share.</summary>
internal static partial class ConfigLog
{
    [LoggerMessage(1, LogLevel.Information, "No config cluster here; waiting for a peer to tell the configuration.")]
    public static partial void Waiting(this ILogger log);

    [LoggerMessage(2, LogLevel.Information, "Starting from the last good configuration of {Cluster}, version {Version}.")]
    public static partial void Kept(this ILogger log, string cluster, long version);

    [LoggerMessage(3, LogLevel.Information, "Configuration of {Cluster}, version {Version} ({Hash}), goes to the peers.")]
    public static partial void Published(this ILogger log, string cluster, long version, string hash);

    [LoggerMessage(4, LogLevel.Information, "Configuration version {Version} of {Cluster} taken from {Peer}.")]
    public static partial void Taken(this ILogger log, long version, string cluster, string peer);

    [LoggerMessage(5, LogLevel.Error, "Configuration version {Version} from {Peer} has mistakes; version {Current} stays in force.")]
    public static partial void NotTaken(this ILogger log, long version, string peer, long current);

    [LoggerMessage(6, LogLevel.Error, "{Finding}")]
    public static partial void Finding(this ILogger log, string finding);

    [LoggerMessage(7, LogLevel.Error, "Two config clusters: {Conflict}. Exactly one may be; edits are not taken, and version {Version} stays in force.")]
    public static partial void Conflict(this ILogger log, string conflict, long version);

    [LoggerMessage(8, LogLevel.Information, "There is one config cluster again.")]
    public static partial void ConflictOver(this ILogger log);

    [LoggerMessage(9, LogLevel.Warning, "Configuration version {Version} could not be had from {Peer}: {Reason}")]
    public static partial void CannotAsk(this ILogger log, string peer, long version, string reason);
}
