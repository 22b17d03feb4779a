using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Mesh.Core.Randomness;
using Mesh.Zmtp;

namespace Mesh.Simulation.KvEvents;

/// <summary>
/// Publishes batches as vLLM does: a PUB socket that sends topic, sequence and payload, and a ROUTER socket that sends what it still has on
/// request. A subscriber that does not read loses what exceeds its bound. Thread-safe.
/// </summary>
internal sealed class KvEventPublisher : IAsyncDisposable
{
    private const int MaxPeers = 1024;

    // As many as vLLM's publisher holds; a delay of a minute at a thousand steps a second is less.
    private const int MaxComing = 100_000;
    private static readonly TimeSpan ReplayStall = TimeSpan.FromSeconds(30);
    private static readonly ZmtpOptions Options = new()
    {
        MaxFrameBytes = 64 << 10,
        MaxMessageBytes = 128 << 10,
        MaxUnsentBytes = 256 << 20,
        HeartbeatInterval = TimeSpan.Zero,
    };

    private readonly KvEventOptions _options;
    private readonly TimeProvider _time;
    private readonly byte[] _topic;
    private readonly Xoshiro256 _random;
    private readonly Socket _publishing;
    private readonly Socket? _replaying;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<(long At, byte[] Payload)> _coming = Channel.CreateBounded<(long, byte[])>(
        new BoundedChannelOptions(MaxComing) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private readonly HashSet<ZmtpConnection> _peers = [];
    private readonly byte[]?[] _kept;
    private readonly ArrayBufferWriter<byte> _message = new();
    private readonly List<Task> _loops = [];
    private long _next;
    private long _lost;
    private long _dropped;
    private int _stopped;

    private KvEventPublisher(KvEventOptions options, TimeProvider time, Socket publishing, Socket? replaying)
    {
        _options = options;
        _time = time;
        _topic = Encoding.UTF8.GetBytes(options.Topic);
        _random = new Xoshiro256(options.Seed);
        _kept = new byte[]?[options.BufferBatches];
        _publishing = publishing;
        _replaying = replaying;
        Port = ((IPEndPoint)publishing.LocalEndPoint!).Port;
        ReplayPort = ((IPEndPoint?)replaying?.LocalEndPoint)?.Port;
        _loops.Add(AcceptAsync(publishing, ServeSubscriberAsync));
        if (replaying is not null) _loops.Add(AcceptAsync(replaying, ServeReplayAsync));
        _loops.Add(PublishAsync());
    }

    /// <summary>Port of the PUB socket.</summary>
    public int Port { get; }

    /// <summary>Port of the ROUTER socket; null without.</summary>
    public int? ReplayPort { get; }

    /// <summary>Subscribers that have asked for the topic.</summary>
    public int Subscriptions
    {
        get
        {
            lock (_gate) return _peers.Count(p => p.Topics.Matches(_topic));
        }
    }

    /// <summary>Batches published, the lost ones included.</summary>
    public long Published => Interlocked.Read(ref _next);

    /// <summary>Batches that were lost on purpose.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Batches that a subscriber did not get because it did not read, counted for each.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Opens the ports.</summary>
    /// <exception cref="SocketException">A port is in use.</exception>
    public static KvEventPublisher Start(KvEventOptions options, IPAddress address, TimeProvider time)
    {
        var publishing = Listen(address, options.Port);
        try
        {
            return new KvEventPublisher(options, time, publishing, options.ReplayPort is { } port ? Listen(address, port) : null);
        }
        catch
        {
            publishing.Dispose();
            throw;
        }
    }

    /// <summary>Takes a batch; it is published after the delay.</summary>
    public void Publish(byte[] payload) => _coming.Writer.TryWrite((_time.GetTimestamp(), payload));

    /// <summary>Closes all connections at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0) return;
        await _stop.CancelAsync();
        _publishing.Dispose();
        _replaying?.Dispose();
        lock (_gate)
        {
            foreach (var peer in _peers) peer.Fail(ZmtpFailure.Closed);
        }
        await Task.WhenAll(_loops);
        _stop.Dispose();
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // A successor takes the port of a server that was killed.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(128);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket listener, Func<Socket, Task> serve)
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = serve(await listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // One that was gone before it was accepted.
                await ((Task)Task.Delay(10, _stop.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeSubscriberAsync(Socket socket)
    {
        var peer = new ZmtpConnection(ZmtpSocketType.Pub, Options, _time, socket);
        await using var closing = peer.ConfigureAwait(false);
        if (!await peer.AcceptAsync(_stop.Token).ConfigureAwait(false) || !TryEnter(peer)) return;
        do
        {
            // Peers of 3.0 subscribe by messages; nothing else comes from a subscriber.
            while (peer.TryRead(out var message)) peer.Topics.TryApply(message[0]);
        }
        while (await peer.FillAsync().ConfigureAwait(false));
        Leave(peer);
    }

    private async Task ServeReplayAsync(Socket socket)
    {
        var peer = new ZmtpConnection(ZmtpSocketType.Router, Options, _time, socket);
        await using var closing = peer.ConfigureAwait(false);
        if (!await peer.AcceptAsync(_stop.Token).ConfigureAwait(false) || !TryEnter(peer)) return;
        do
        {
            while (TryReadRequest(peer, out var from)) await ReplayAsync(peer, from).ConfigureAwait(false);
        }
        while (await peer.FillAsync().ConfigureAwait(false));
        Leave(peer);
    }

    private static bool TryReadRequest(ZmtpConnection peer, out long from)
    {
        from = 0;
        while (peer.TryRead(out var message))
        {
            if (message.Count != 2 || message[1].Length != sizeof(long)) continue;
            from = BinaryPrimitives.ReadInt64BigEndian(message[1]);
            return true;
        }
        return false;
    }

    private async Task ReplayAsync(ZmtpConnection peer, long from)
    {
        var message = new ArrayBufferWriter<byte>();
        for (var sequence = Math.Max(0, from); ; sequence++)
        {
            byte[]? payload = null;
            lock (_gate)
            {
                var first = Math.Max(0, _next - _kept.Length);
                if (sequence < first) sequence = first;
                if (sequence < _next) payload = _kept[sequence % _kept.Length];
            }
            message.ResetWrittenCount();
            Write(message, [], payload is null ? -1 : sequence, payload ?? []);
            if (!await SendAsync(peer, message.WrittenMemory).ConfigureAwait(false) || payload is null) return;
        }
    }

    // A replay goes at the reader's pace.
    private async Task<bool> SendAsync(ZmtpConnection peer, ReadOnlyMemory<byte> message)
    {
        var began = _time.GetTimestamp();
        while (!peer.TrySendMessage(message.Span, 1000))
        {
            if (peer.Failure != ZmtpFailure.None || _time.GetElapsedTime(began) > ReplayStall) return peer.Fail(ZmtpFailure.OutputFull);
            await ((Task)Task.Delay(1, _stop.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested) return false;
        }
        return peer.Failure == ZmtpFailure.None;
    }

    private async Task PublishAsync()
    {
        try
        {
            await foreach (var (at, payload) in _coming.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                var left = _options.Delay - _time.GetElapsedTime(at);
                if (left > TimeSpan.Zero) await Task.Delay(left, _time, _stop.Token).ConfigureAwait(false);
                Send(payload);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Send(byte[] payload)
    {
        lock (_gate)
        {
            var sequence = _next++;
            _kept[sequence % _kept.Length] = payload;
            if (_options.LossRatio > 0 && _random.NextDouble() < _options.LossRatio)
            {
                _lost++;
                return;
            }
            _message.ResetWrittenCount();
            Write(_message, _topic, sequence, payload);
            foreach (var peer in _peers)
            {
                if (!peer.Topics.Matches(_topic)) continue;
                if (!peer.TrySendMessage(_message.WrittenSpan, _options.HighWaterMark)) _dropped++;
            }
        }
    }

    private static void Write(ArrayBufferWriter<byte> message, ReadOnlySpan<byte> first, long sequence, ReadOnlySpan<byte> payload)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, sequence);
        ZmtpCommands.WriteFrame(message, first, more: true);
        ZmtpCommands.WriteFrame(message, number, more: true);
        ZmtpCommands.WriteFrame(message, payload, more: false);
    }

    private bool TryEnter(ZmtpConnection peer)
    {
        lock (_gate) return _stopped == 0 && _peers.Count < MaxPeers && _peers.Add(peer);
    }

    private void Leave(ZmtpConnection peer)
    {
        lock (_gate) _peers.Remove(peer);
    }
}
