using System.Buffers;
using System.Net.Sockets;
using Mesh.Zmtp.Transport;

namespace Mesh.Zmtp;

/// <summary>
/// The sending half of a connection: bytes from any thread go out in order, one write at a time, without anybody waiting. What the peer
/// does not take stays here up to a bound; beyond it the connection fails.
/// </summary>
internal sealed class ZmtpSender(ZmtpTransport transport, int maxUnsentBytes, Action<ZmtpFailure> fail)
{
    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _waiting = new();
    private ArrayBufferWriter<byte> _leaving = new();
    private int _waitingMessages;
    private bool _sending;

    /// <summary>Where the reader collects answers, for <see cref="SendReplies"/>; only the reader touches it.</summary>
    public ArrayBufferWriter<byte> Replies { get; } = new();

    /// <summary>Sends what is in <see cref="Replies"/> and empties it.</summary>
    public void SendReplies()
    {
        Send(Replies.WrittenSpan);
        Replies.ResetWrittenCount();
    }

    /// <summary>Takes a copy of the bytes and sends them after all earlier ones.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (!TrySend(bytes, int.MaxValue)) fail(ZmtpFailure.OutputFull);
    }

    /// <summary>As <see cref="Send"/>, but false, and nothing is sent, when the bound on unsent bytes or so many messages wait already.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes, int maxMessages)
    {
        lock (_gate)
        {
            if (_waitingMessages >= maxMessages || _waiting.WrittenCount + bytes.Length > maxUnsentBytes) return false;
            _waiting.Write(bytes);
            _waitingMessages++;
            if (_sending) return true;
            _sending = true;
            _ = SendAllAsync();
            return true;
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    _leaving.ResetWrittenCount();
                    if (_waiting.WrittenCount == 0)
                    {
                        _sending = false;
                        return;
                    }
                    (_waiting, _leaving) = (_leaving, _waiting);
                    _waitingMessages = 0;
                }
                var rest = _leaving.WrittenMemory;
                while (!rest.IsEmpty) rest = rest[await transport.SendAsync(rest).ConfigureAwait(false)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // _sending stays true: nothing is sent on a socket that failed.
            fail(ZmtpFailure.SocketError);
        }
    }
}
