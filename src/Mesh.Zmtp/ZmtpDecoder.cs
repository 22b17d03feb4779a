namespace Mesh.Zmtp;

/// <summary>What <see cref="ZmtpDecoder.Decode"/> found.</summary>
internal enum ZmtpDecodeStatus
{
    /// <summary>The bytes end within a frame, or after a frame that more are to follow.</summary>
    NeedMore,

    /// <summary>A whole message; see <see cref="ZmtpDecoder.Frames"/>.</summary>
    Message,

    /// <summary>A command; see <see cref="ZmtpDecoder.Command"/>.</summary>
    Command,

    /// <summary>Not ZMTP, or beyond a bound; see <see cref="ZmtpDecoder.Failure"/>. Final.</summary>
    Failed,
}

/// <summary>
/// Cuts the bytes after the greeting into messages and commands, in place: nothing is copied or allocated. It remembers how far it has
/// looked into the message in hand, so that a message that comes in a thousand pieces is not looked through a thousand times. Commands
/// may stand between the frames of a message, as heartbeats do. Pure; not thread-safe.
/// </summary>
internal sealed class ZmtpDecoder(ZmtpOptions options)
{
    private ZmtpFrameTable _frames;
    private int _scanned;
    private bool _delivered;

    /// <summary>Frames of the message, after <see cref="ZmtpDecodeStatus.Message"/>; offsets into the span given to Decode.</summary>
    public ref readonly ZmtpFrameTable Frames => ref _frames;

    /// <summary>Where the command's body lies, after <see cref="ZmtpDecodeStatus.Command"/>.</summary>
    public (int Start, int Length) Command { get; private set; }

    /// <summary>Why decoding ended.</summary>
    public ZmtpFailure Failure { get; private set; }

    /// <summary>
    /// Looks at <paramref name="unread"/>: everything received and not yet consumed. After the answer has been used, the caller drops
    /// <paramref name="consumed"/> bytes from its front.
    /// </summary>
    public ZmtpDecodeStatus Decode(ReadOnlySpan<byte> unread, out int consumed)
    {
        consumed = 0;
        if (Failure != ZmtpFailure.None) return ZmtpDecodeStatus.Failed;
        if (_delivered)
        {
            _frames.Clear();
            _delivered = false;
        }
        while (true)
        {
            if (!ZmtpFrameHeader.TryRead(unread[_scanned..], out var header, out var failure))
                return failure == ZmtpFailure.None ? ZmtpDecodeStatus.NeedMore : Fail(failure);
            // Bounds are judged from the header: a peer that announces too much is cut off before it sends it.
            if (header.BodyBytes > (ulong)(header.IsCommand ? options.MaxCommandBytes : options.MaxFrameBytes)) return Fail(ZmtpFailure.FrameTooLarge);
            var bodyAt = _scanned + header.HeaderBytes;
            var end = (long)bodyAt + (int)header.BodyBytes;
            if (end > options.MaxMessageBytes) return Fail(ZmtpFailure.MessageTooLarge);
            if (end > unread.Length) return ZmtpDecodeStatus.NeedMore;
            _scanned = (int)end;
            if (header.IsCommand)
            {
                Command = (bodyAt, (int)header.BodyBytes);
                if (_frames.Count == 0) consumed = TakeScanned();
                return ZmtpDecodeStatus.Command;
            }
            if (!_frames.TryAdd(bodyAt, (int)header.BodyBytes)) return Fail(ZmtpFailure.TooManyFrames);
            if (header.HasMore) continue;
            consumed = TakeScanned();
            _delivered = true;
            return ZmtpDecodeStatus.Message;
        }
    }

    private int TakeScanned()
    {
        var scanned = _scanned;
        _scanned = 0;
        return scanned;
    }

    private ZmtpDecodeStatus Fail(ZmtpFailure failure)
    {
        Failure = failure;
        return ZmtpDecodeStatus.Failed;
    }
}
