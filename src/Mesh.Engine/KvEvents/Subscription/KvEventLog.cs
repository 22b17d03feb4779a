using Mesh.Engine.KvEvents.Events;
using Mesh.Zmtp;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.KvEvents.Subscription;

internal static partial class KvEventLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "KV events of {Host}:{Port}: {From} -> {To} ({Reason})")]
    public static partial void StateChanged(ILogger logger, string host, int port, KvKnowledge from, KvKnowledge to, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "KV events of {Host}:{Port}: exact entries dropped ({Reason}), {Count} times so far")]
    public static partial void Reset(ILogger logger, string host, int port, KvResetReason reason, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "KV events of {Host}:{Port}: batch {Sequence} cannot be read: {Error} at byte {Position}; {Count} so far")]
    public static partial void Undecodable(ILogger logger, string host, int port, ulong sequence, KvDecodeError error, int position, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "KV events of {Host}:{Port}: a message that is not topic, sequence and payload; {Count} so far")]
    public static partial void Malformed(ILogger logger, string host, int port, long count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "KV events of {Host}:{Port}: connection ended: {Failure} {Detail}")]
    public static partial void ConnectionEnded(ILogger logger, string host, int port, ZmtpFailure failure, string detail);

    [LoggerMessage(Level = LogLevel.Debug, Message = "KV events of {Host}:{Port}: replay from {Sequence} failed: {Failure} {Detail}")]
    public static partial void ReplayFailed(ILogger logger, string host, int port, ulong sequence, ZmtpFailure failure, string detail);
}
