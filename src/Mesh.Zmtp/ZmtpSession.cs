using System.Buffers;

namespace Mesh.Zmtp;

/// <summary>What <see cref="ZmtpSession.Advance"/> did.</summary>
internal enum ZmtpStep
{
    /// <summary>Nothing more to be had from these bytes.</summary>
    NeedMore,

    /// <summary>Something was dealt with inside; call again.</summary>
    Progress,

    /// <summary>Greeting and READY are done: messages may be sent.</summary>
    Established,

    /// <summary>A message; see <see cref="ZmtpSession.Frames"/>.</summary>
    Message,

    /// <summary>The connection is over; see <see cref="ZmtpSession.Failure"/>.</summary>
    Failed,
}

/// <summary>
/// One connection's protocol, without its socket: bytes in, messages out, and what is to be answered written to a buffer. Greeting, then
/// READY both ways, then traffic. Pure; not thread-safe.
/// </summary>
internal sealed class ZmtpSession(ZmtpSocketType type, ZmtpOptions options)
{
    private readonly ZmtpDecoder _decoder = new(options);
    private Phase _phase;

    private enum Phase
    {
        Greeting,
        Ready,
        Open,
        Over,
    }

    /// <summary>Minor version of the peer's ZMTP 3: 0 has no SUBSCRIBE, PING and PONG.</summary>
    public int PeerMinorVersion { get; private set; }

    /// <summary>Why it is over.</summary>
    public ZmtpFailure Failure { get; private set; }

    /// <summary>The peer's words about the failure, or empty.</summary>
    public string FailureDetail { get; private set; } = "";

    /// <summary>What the peer of a publisher has asked for.</summary>
    public ZmtpTopics Topics { get; } = new();

    /// <summary>True between READY and the end.</summary>
    public bool IsOpen => _phase == Phase.Open;

    /// <summary>Frames of the message last delivered, as offsets into the span given to <see cref="Advance"/>.</summary>
    public ref readonly ZmtpFrameTable Frames => ref _decoder.Frames;

    /// <summary>Writes what opens the connection. READY follows the greeting at once: with NULL neither side waits for the other.</summary>
    public void Start(IBufferWriter<byte> output)
    {
        output.Write(ZmtpGreeting.Ours);
        ZmtpCommands.WriteReady(output, ZmtpSocketTypes.WireName(type));
    }

    /// <summary>Asks for a topic's messages, in the form that the peer's version understands.</summary>
    /// <exception cref="InvalidOperationException">The connection is not open.</exception>
    public void Subscribe(IBufferWriter<byte> output, ReadOnlySpan<byte> topic)
    {
        if (_phase != Phase.Open) throw new InvalidOperationException("subscribing needs an open connection");
        if (PeerMinorVersion >= 1)
        {
            ZmtpCommands.WriteSubscribe(output, topic);
            return;
        }
        Span<byte> body = topic.Length < 256 ? stackalloc byte[1 + topic.Length] : new byte[1 + topic.Length];
        body[0] = 1;
        topic.CopyTo(body[1..]);
        ZmtpCommands.WriteFrame(output, body, more: false);
    }

    /// <summary>
    /// Takes the next step over <paramref name="unread"/>, everything received and not consumed. The caller uses the answer, then drops
    /// <paramref name="consumed"/> bytes.
    /// </summary>
    public ZmtpStep Advance(ReadOnlySpan<byte> unread, IBufferWriter<byte> output, out int consumed)
    {
        consumed = 0;
        return _phase switch
        {
            Phase.Greeting => TakeGreeting(unread, out consumed),
            Phase.Over => ZmtpStep.Failed,
            _ => TakeTraffic(unread, output, out consumed),
        };
    }

    private ZmtpStep TakeGreeting(ReadOnlySpan<byte> unread, out int consumed)
    {
        consumed = 0;
        var failure = ZmtpGreeting.Check(unread);
        if (failure == ZmtpFailure.MechanismMismatch) return Fail(failure, "the peer wants " + ZmtpGreeting.MechanismName(unread));
        if (failure != ZmtpFailure.None) return Fail(failure);
        if (unread.Length < ZmtpGreeting.Size) return ZmtpStep.NeedMore;
        PeerMinorVersion = ZmtpGreeting.MinorVersion(unread);
        consumed = ZmtpGreeting.Size;
        _phase = Phase.Ready;
        return ZmtpStep.Progress;
    }

    private ZmtpStep TakeTraffic(ReadOnlySpan<byte> unread, IBufferWriter<byte> output, out int consumed)
    {
        switch (_decoder.Decode(unread, out consumed))
        {
            case ZmtpDecodeStatus.NeedMore:
                return ZmtpStep.NeedMore;
            case ZmtpDecodeStatus.Command:
                var (start, length) = _decoder.Command;
                return TakeCommand(unread.Slice(start, length), output);
            case ZmtpDecodeStatus.Message:
                return _phase == Phase.Open ? ZmtpStep.Message : Fail(ZmtpFailure.BadFrame, "a message before READY");
            default:
                return Fail(_decoder.Failure);
        }
    }

    private ZmtpStep TakeCommand(ReadOnlySpan<byte> body, IBufferWriter<byte> output)
    {
        if (!ZmtpCommands.TrySplit(body, out var name, out var data)) return Fail(ZmtpFailure.BadCommand, "a command without a name");
        if (name.SequenceEqual("ERROR"u8)) return Fail(ZmtpFailure.PeerError, PrintableText.Of(ZmtpCommands.ErrorReason(data)));
        if (_phase == Phase.Ready) return TakeReady(name, data);
        if (name.SequenceEqual("PING"u8))
        {
            if (!ZmtpCommands.TryReadPing(data, out var context)) return Fail(ZmtpFailure.BadCommand, "PING");
            ZmtpCommands.WritePong(output, context);
        }
        else if (type == ZmtpSocketType.Pub && (name.SequenceEqual("SUBSCRIBE"u8) || name.SequenceEqual("CANCEL"u8)))
        {
            if (!Topics.TryApply(data, name.SequenceEqual("SUBSCRIBE"u8))) return Fail(ZmtpFailure.BadCommand, "too many topics");
        }
        // PONG has done its work by arriving. Commands not known here are left alone, as the protocol grows by them.
        return ZmtpStep.Progress;
    }

    private ZmtpStep TakeReady(ReadOnlySpan<byte> name, ReadOnlySpan<byte> metadata)
    {
        if (!name.SequenceEqual("READY"u8)) return Fail(ZmtpFailure.BadCommand, PrintableText.Of(name) + " before READY");
        if (!ZmtpCommands.TryFindProperty(metadata, "Socket-Type"u8, out var peerType, out var found)) return Fail(ZmtpFailure.BadCommand, "READY");
        if (!found || !ZmtpSocketTypes.Accepts(type, peerType))
            return Fail(ZmtpFailure.SocketTypeMismatch, found ? "the peer is " + PrintableText.Of(peerType) : "the peer does not name its type");
        _phase = Phase.Open;
        return ZmtpStep.Established;
    }

    private ZmtpStep Fail(ZmtpFailure failure, string detail = "")
    {
        _phase = Phase.Over;
        Failure = failure;
        FailureDetail = detail;
        return ZmtpStep.Failed;
    }
}
