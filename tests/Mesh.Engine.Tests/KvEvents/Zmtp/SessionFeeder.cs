using System.Buffers;
using Mesh.Zmtp;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

/// <summary>Feeds a session bytes in pieces, as a socket would, and writes down what it makes of them.</summary>
internal sealed class SessionFeeder(ZmtpSocketType type = ZmtpSocketType.Sub, ZmtpOptions? options = null)
{
    private readonly List<byte> _unread = [];

    public ZmtpSession Session { get; } = new(type, options ?? new ZmtpOptions());

    public ArrayBufferWriter<byte> Output { get; } = new();

    public List<string> Seen { get; } = [];

    /// <summary>Feeds bytes; false once the session has failed.</summary>
    public bool Feed(ReadOnlySpan<byte> bytes)
    {
        _unread.AddRange(bytes);
        while (true)
        {
            var unread = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unread);
            switch (Session.Advance(unread, Output, out var consumed))
            {
                case ZmtpStep.NeedMore:
                    return true;
                case ZmtpStep.Failed:
                    Seen.Add(Session.Failure + (Session.FailureDetail.Length > 0 ? ": " + Session.FailureDetail : ""));
                    return false;
                case ZmtpStep.Established:
                    Seen.Add("established");
                    break;
                case ZmtpStep.Message:
                    var message = new ZmtpMessage(unread, Session.Frames);
                    var frames = new List<string>();
                    for (var i = 0; i < message.Count; i++) frames.Add(message[i].IsEmpty ? "0" : message[i].Length + "x" + message[i][0].ToString("X2") + message[i][^1].ToString("X2"));
                    Seen.Add("message " + string.Join(" ", frames));
                    break;
            }
            _unread.RemoveRange(0, consumed);
        }
    }

    /// <summary>What the session has written since the last call, in hex.</summary>
    public string TakeOutput()
    {
        var hex = Convert.ToHexString(Output.WrittenSpan);
        Output.ResetWrittenCount();
        return hex;
    }
}
