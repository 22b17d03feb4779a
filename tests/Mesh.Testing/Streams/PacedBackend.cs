using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Testing.Streams;

/// <summary>
/// A backend that answers every POST with a stream of events at a steady pace, from one thread for all of them, so that thousands cost
/// little. Each event tells when it was sent and its number. Any GET is answered with the list of its one model.
/// </summary>
public sealed class PacedBackend : IDisposable
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    /// <summary>Model that it says it serves.</summary>
    public const string Model = "paced";

    private const string Models = "{\"object\":\"list\",\"data\":[{\"id\":\"" + Model + "\",\"object\":\"model\"}]}";

    private static readonly string Page = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Models.Length}\r\n\r\n{Models}");

    // As long as an event of a model server is.
    private static readonly string Filler = new('x', 150);

    private readonly List<Socket> _listeners = [];
    private readonly ConcurrentQueue<Paced> _begun = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly int _events;
    private readonly TimeSpan _pause;
    private int _open;
    private int _broken;

    /// <param name="addresses">Where it listens.</param>
    /// <param name="events">Events of each stream.</param>
    /// <param name="pause">Time between two of them.</param>
    public PacedBackend(IEnumerable<IPEndPoint> addresses, int events, TimeSpan pause)
    {
        _events = events;
        _pause = pause;
        foreach (var address in addresses)
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(address);
            listener.Listen(4096);
            _listeners.Add(listener);
            _ = AcceptAsync(listener);
        }

        new Thread(Pace) { IsBackground = true, Name = "pace" }.Start();
    }

    /// <summary>Where it listens.</summary>
    public IEnumerable<IPEndPoint> Addresses => _listeners.Select(l => (IPEndPoint)l.LocalEndPoint!);

    /// <summary>Streams under way.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Streams that could not be sent to their end.</summary>
    public int Broken => Volatile.Read(ref _broken);

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var listener in _listeners) listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var buffer = new byte[2048];
        var length = 0;
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, _stop.Token);
                if (read == 0) break;
                length += read;
                if (!IsWhole(buffer.AsSpan(0, length))) continue;
                if (!buffer.AsSpan(0, length).StartsWith("POST"u8))
                {
                    await socket.SendAsync(Encoding.ASCII.GetBytes(Page), SocketFlags.None, _stop.Token);
                    length = 0;
                    continue;
                }

                await socket.SendAsync(Encoding.ASCII.GetBytes(Head), SocketFlags.None, _stop.Token);
                Interlocked.Increment(ref _open);
                // From here on the pacing thread alone writes, and closes at the end.
                _begun.Enqueue(new Paced(socket));
                return;
            }

            socket.Dispose();
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            socket.Dispose();
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> request)
    {
        var end = request.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var name = "Content-Length: "u8;
        var at = request[..end].IndexOf(name);
        if (at < 0) return true;
        var digits = request[(at + name.Length)..end];
        var stop = digits.IndexOf((byte)'\r');
        var length = int.Parse(stop < 0 ? digits : digits[..stop], NumberStyles.None, CultureInfo.InvariantCulture);
        return request.Length >= end + 4 + length;
    }

    private void Pace()
    {
        var due = new PriorityQueue<Paced, long>();
        var pause = (long)(_pause.TotalSeconds * _time.TimestampFrequency);
        var buffer = new byte[512];
        while (!_stop.IsCancellationRequested)
        {
            var now = _time.GetTimestamp();
            while (_begun.TryDequeue(out var begun)) due.Enqueue(begun, now);
            while (due.TryPeek(out var stream, out var at) && at <= now)
            {
                due.Dequeue();
                if (Send(stream, buffer)) due.Enqueue(stream, at + pause);
            }

            Thread.Sleep(1);
        }

        while (due.TryDequeue(out var stream, out _)) stream.Socket.Dispose();
    }

    private bool Send(Paced stream, byte[] buffer)
    {
        var isLast = stream.Sent == _events;
        var text = isLast
            ? "data: [DONE]\n\n"
            : string.Create(CultureInfo.InvariantCulture, $"data: {{\"t\":{_time.GetTimestamp()},\"n\":{stream.Sent},\"x\":\"{Filler}\"}}\n\n");
        var chunk = string.Create(CultureInfo.InvariantCulture, $"{text.Length:x}\r\n{text}\r\n{(isLast ? "0\r\n\r\n" : "")}");
        var length = Encoding.ASCII.GetBytes(chunk, buffer);
        try
        {
            stream.Socket.Send(buffer, 0, length, SocketFlags.None);
            stream.Sent++;
            if (!isLast) return true;
        }
        catch (SocketException)
        {
            Interlocked.Increment(ref _broken);
        }

        Interlocked.Decrement(ref _open);
        stream.Socket.Dispose();
        return false;
    }

    private sealed class Paced(Socket socket)
    {
        public Socket Socket => socket;

        public int Sent { get; set; }
    }
}
