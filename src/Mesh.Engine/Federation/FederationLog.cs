using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Federation;

/// <summary>Everything that the exchange between regions logs; a state is told once, when it begins.</summary>
internal static partial class FederationLog
{
    [LoggerMessage(1, LogLevel.Information, "Peer {Peer} (region {Region}) answers at {Url}, version {Version}.")]
    public static partial void Connected(ILogger logger, string peer, string region, Uri url, string version);

    [LoggerMessage(2, LogLevel.Warning, "Peer {Peer} at {Url}: {Error}")]
    public static partial void Lost(ILogger logger, string peer, Uri url, string error);

    [LoggerMessage(3, LogLevel.Information, "Peer {Peer} (region {Region}) is {After} (was {Before}).")]
    public static partial void Changed(ILogger logger, string peer, string region, PeerReach after, PeerReach before);

    [LoggerMessage(6, LogLevel.Debug, "Peer {Peer} is {After} (was {Before}).")]
    public static partial void Suspected(ILogger logger, string peer, PeerReach after, PeerReach before);

    [LoggerMessage(4, LogLevel.Error, "The exchange with peer regions failed and goes on.")]
    public static partial void Failed(ILogger logger, Exception exception);

    [LoggerMessage(7, LogLevel.Information, "Peer {Peer} (region {Region}) at {Url} has been added.")]
    public static partial void Added(ILogger logger, string peer, string region, Uri url);

    [LoggerMessage(8, LogLevel.Information, "Peer {Peer} (region {Region}) has been removed.")]
    public static partial void Removed(ILogger logger, string peer, string region);

    [LoggerMessage(5, LogLevel.Error, "Reports of peer {Peer} could not be taken.")]
    public static partial void CannotTake(ILogger logger, string peer, Exception exception);
}
