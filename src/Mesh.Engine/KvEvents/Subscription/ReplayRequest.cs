using System.Buffers.Binary;
using Mesh.Zmtp;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// One replay over a connection of its own. A fresh connection begins with an empty queue at the publisher's ROUTER, so the first answer
/// is never one that it dropped, and nothing is left over from an earlier replay.
/// </summary>
internal static class ReplayRequest
{
    // The end marker is sequence -1; an empty payload says the same.
    private const ulong EndMarker = ulong.MaxValue;

    /// <summary>Asks for everything from <paramref name="from"/> on and hands it to the intake, which learns how it ended.</summary>
    public static async Task RunAsync(
        KvEventSource source, ulong from, KvEventIntake intake, KvEventSubscriberOptions options, TimeProvider clock, Action<ulong, ZmtpFailure, string> onFailure, CancellationToken cancellationToken)
    {
        var connection = new ZmtpConnection(ZmtpSocketType.Dealer, options.ForReplay(), clock);
        await using var closing = connection.ConfigureAwait(false);
        using var timeout = new CancellationTokenSource(options.ReplayTimeout, clock);
        using var late = timeout.Token.UnsafeRegister(static c => ((ZmtpConnection)c!).Fail(ZmtpFailure.IdleTimeout, "the replay takes too long"), connection);
        using var stopped = cancellationToken.UnsafeRegister(static c => ((ZmtpConnection)c!).Fail(ZmtpFailure.Closed), connection);
        if (await connection.OpenAsync(source.Host, source.ReplayPort!.Value, cancellationToken).ConfigureAwait(false))
        {
            Ask(connection, from);
            do
            {
                if (TakeAnswers(connection, intake)) return;
            }
            while (await connection.FillAsync().ConfigureAwait(false));
        }
        onFailure(from, connection.Failure, connection.FailureDetail);
        intake.FailReplay("replay: " + connection.Failure);
    }

    // The ROUTER expects what a REQ socket would send: an empty frame, then the sequence in eight bytes.
    private static void Ask(ZmtpConnection connection, ulong from)
    {
        Span<byte> sequence = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(sequence, from);
        connection.Send([], sequence);
    }

    // True: the replay is over.
    private static bool TakeAnswers(ZmtpConnection connection, KvEventIntake intake)
    {
        while (connection.TryRead(out var answer))
        {
            // An empty frame, the sequence and the payload; only the last two are looked at.
            if (answer.Count < 2 || answer[answer.Count - 2].Length != sizeof(ulong))
            {
                intake.CountMalformed();
                continue;
            }
            var sequence = BinaryPrimitives.ReadUInt64BigEndian(answer[answer.Count - 2]);
            var payload = answer[answer.Count - 1];
            if (sequence == EndMarker || payload.IsEmpty)
            {
                intake.EndReplay();
                return true;
            }
            if (!intake.TakeReplayed(sequence, payload)) return true;
        }
        return false;
    }
}
