using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Testing.Streams;

/// <summary>Many clients of <see cref="PacedBackend"/>, or of a gateway before it, that check every event and how late it came.</summary>
public sealed class StreamClients : IDisposable
{
    // Delays are counted in steps of 0.1 ms up to 10 s.
    private const int Steps = 100_000;

    private readonly List<Client> _clients = [];
    private readonly int[] _delays = new int[Steps];
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly byte[] _request;
    private readonly IPEndPoint _gateway;
    private readonly int _events;
    private int _complete;
    private int _failed;
    private long _received;
    private string? _firstFailure;

    /// <param name="gateway">Where to connect.</param>
    /// <param name="events">Events that each stream must bring.</param>
    /// <param name="model">Model to ask for.</param>
    public StreamClients(IPEndPoint gateway, int events, string model)
    {
        _gateway = gateway;
        _events = events;
        var body = $"{{\"model\":\"{model}\",\"prompt\":\"hi\",\"max_tokens\":{events},\"stream\":true}}";
        _request = Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    /// <summary>Streams that came to their end whole and in order.</summary>
    public int Complete => Volatile.Read(ref _complete);

    /// <summary>Streams that did not.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Events that came.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Why the first one failed; null when none did.</summary>
    public string? FirstFailure => _firstFailure;

    /// <summary>Opens streams, evenly over a time.</summary>
    public async Task OpenAsync(int count, TimeSpan over)
    {
        var started = _time.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var ahead = (over * i / count) - _time.GetElapsedTime(started);
            if (ahead > TimeSpan.FromMilliseconds(2)) await Task.Delay(ahead, _time);
            var client = new Client(this);
            _clients.Add(client);
            await client.BeginAsync();
        }
    }

    /// <summary>Forgets the delays so far: those of the opening.</summary>
    public void ForgetDelays() => Array.Clear(_delays);

    /// <summary>A percentile of the delays in milliseconds; <paramref name="ratio"/> 1 is the longest.</summary>
    public double DelayMs(double ratio)
    {
        long total = 0, seen = 0;
        foreach (var count in _delays) total += count;
        for (var i = 0; i < Steps; i++)
        {
            seen += _delays[i];
            if (seen > 0 && seen >= ratio * total) return (i + 1) / 10.0;
        }

        return 0;
    }

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
    }

    private void End(string? failure)
    {
        if (failure is null)
        {
            Interlocked.Increment(ref _complete);
            return;
        }

        Interlocked.CompareExchange(ref _firstFailure, failure, null);
        Interlocked.Increment(ref _failed);
    }

    private sealed class Client(StreamClients owner) : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _buffer = new byte[2048];
        private int _length;
        private int _next;
        private bool _begun;

        public async Task BeginAsync()
        {
            try
            {
                await _socket.ConnectAsync(owner._gateway);
                await _socket.SendAsync(owner._request, SocketFlags.None);
                _ = ReadAsync();
            }
            catch (SocketException e)
            {
                owner.End($"connect: {e.Message}");
            }
        }

        public void Dispose() => _socket.Dispose();

        private async Task ReadAsync()
        {
            try
            {
                while (true)
                {
                    var read = await _socket.ReceiveAsync(_buffer.AsMemory(_length), SocketFlags.None);
                    if (read == 0)
                    {
                        owner.End($"closed after {_next} events: {Encoding.ASCII.GetString(_buffer, 0, _length)}");
                        return;
                    }

                    _length += read;
                    if (!_begun && !_buffer.AsSpan(0, _length).StartsWith("HTTP/1.1 200"u8))
                    {
                        owner.End($"refused: {Encoding.ASCII.GetString(_buffer, 0, _length)}");
                        _socket.Dispose();
                        return;
                    }

                    _begun = true;
                    if (Take() is not { } isWhole) continue;
                    owner.End(isWhole ? null : $"ended with {_next} of {owner._events} events: {Encoding.ASCII.GetString(_buffer, 0, _length)}");
                    _socket.Dispose();
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                owner.End($"after {_next} events: {e.Message}");
            }
        }

        /// <summary>Takes the events that are whole; null when more must come, else whether all came.</summary>
        private bool? Take()
        {
            while (true)
            {
                var bytes = _buffer.AsSpan(0, _length);
                var at = bytes.IndexOf("data: "u8);
                var end = at < 0 ? -1 : bytes[at..].IndexOf("\n\n"u8);
                if (end < 0) return _length == _buffer.Length ? false : null;
                var data = bytes.Slice(at + 6, end - 6);
                if (data.StartsWith("[DONE]"u8)) return _next == owner._events;
                if (!data.StartsWith("{\"t\":"u8) || !Utf8Parser.TryParse(data[5..], out long sent, out var digits)) return false;
                if (!Utf8Parser.TryParse(data[(5 + digits + 5)..], out int number, out _) || number != _next) return false;
                _next++;
                var step = (int)(owner._time.GetElapsedTime(sent).TotalMilliseconds * 10);
                Interlocked.Increment(ref owner._delays[Math.Clamp(step, 0, Steps - 1)]);
                Interlocked.Increment(ref owner._received);
                var used = at + end + 2;
                bytes[used..].CopyTo(bytes);
                _length -= used;
            }
        }
    }
}
