using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Mesh.Gateway.Federation.Demo;

/// <summary>
/// Passes connections on to another address and holds back what is said over them, in either direction, for as long as a long way would
/// take. Bounded: a side that does not read stops the other from being read.
/// </summary>
internal sealed class DelayRelay : IAsyncDisposable
{
    private const int ChunkBytes = 16 * 1024;
    private const int MaxChunks = 256;

    private readonly Socket _listener;
    private readonly IPEndPoint _target;
    private readonly TimeSpan _delay;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly Task _accepting;

    /// <summary>Begins to listen.</summary>
    /// <param name="listen">Where; port 0 takes a free one.</param>
    /// <param name="target">Where connections lead.</param>
    /// <param name="delay">One way.</param>
    /// <param name="time">Clock.</param>
    public DelayRelay(IPEndPoint listen, IPEndPoint target, TimeSpan delay, TimeProvider time)
    {
        (_target, _delay, _time) = (target, delay, time);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(listen);
        _listener.Listen(128);
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var socket in _open.Keys) socket.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await _listener.AcceptAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task PassAsync(Socket near)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        _open[near] = _open[far] = true;
        try
        {
            await Task.Delay(_delay * 2, _time, _stop.Token);
            await far.ConnectAsync(_target, _stop.Token);
            await Task.WhenAll(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side is gone; so is the other.
        }
        finally
        {
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
            near.Dispose();
            far.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var chunks = Channel.CreateBounded<(byte[] Bytes, long Due)>(new BoundedChannelOptions(MaxChunks) { SingleReader = true, SingleWriter = true });
        var reading = ReadAsync(from, chunks.Writer);
        await foreach (var (bytes, due) in chunks.Reader.ReadAllAsync(_stop.Token))
        {
            var wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, _time, _stop.Token);
            await to.SendAsync(bytes, SocketFlags.None, _stop.Token);
        }

        await reading;
        to.Shutdown(SocketShutdown.Send);
    }

    private async Task ReadAsync(Socket from, ChannelWriter<(byte[] Bytes, long Due)> chunks)
    {
        var buffer = new byte[ChunkBytes];
        var late = (long)(_delay.TotalSeconds * _time.TimestampFrequency);
        try
        {
            for (var read = await from.ReceiveAsync(buffer, SocketFlags.None, _stop.Token); read > 0; read = await from.ReceiveAsync(buffer, SocketFlags.None, _stop.Token))
            {
                await chunks.WriteAsync((buffer.AsSpan(0, read).ToArray(), _time.GetTimestamp() + late), _stop.Token);
            }
        }
        finally
        {
            chunks.Complete();
        }
    }
}
