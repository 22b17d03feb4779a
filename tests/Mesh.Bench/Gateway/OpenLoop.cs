using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Bench.Gateway;

/// <summary>
/// Requests at fixed times whatever the answers take, in turn to several targets, so that all of them have the same machine at the same
/// moment. Latency counts from when a request is fired, the wait for a free connection included.
/// </summary>
internal static class OpenLoop
{
    private const int Connections = 8;

    /// <summary>Runs it and prints percentiles per target.</summary>
    /// <param name="targets"><c>name=ip:port</c>; the first one is what the others are compared with.</param>
    /// <param name="perSecond">Requests per second to each.</param>
    /// <param name="seconds">How long; a fifth more before counts as warm-up.</param>
    public static async Task<int> RunAsync(string[] targets, int perSecond, int seconds)
    {
        var lanes = targets.Select(t => new Lane(t)).ToArray();
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        var warmUp = perSecond * seconds / 5;
        var runs = lanes.Select((lane, i) => lane.RunAsync(time, start, TimeSpan.FromSeconds((double)i / lanes.Length / perSecond), perSecond, warmUp, perSecond * seconds));
        await Task.WhenAll(runs);
        var direct = lanes[0].Percentile(0.5);
        foreach (var lane in lanes)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{lane.Name}: p50 {lane.Percentile(0.5):0.000} ms, p99 {lane.Percentile(0.99):0.000} ms, added p50 {lane.Percentile(0.5) - direct:0.000} ms, failed {lane.Failed}"));
        }

        return lanes.Any(l => l.Failed > 0) ? 1 : 0;
    }

    private sealed class Lane
    {
        private readonly IPEndPoint _address;
        private readonly byte[] _request;
        private readonly List<double> _latenciesMs = [];

        public Lane(string target)
        {
            var parts = target.Split('=', 2);
            Name = parts[0];
            _address = IPEndPoint.Parse(parts[1]);
            var prompt = string.Concat(Enumerable.Repeat("What is the best pizza in the world? ", 27));
            var body = $"{{\"model\":\"food-review-1\",\"prompt\":\"{prompt}\",\"max_tokens\":100,\"temperature\":0}}";
            _request = Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        }

        public string Name { get; }

        public int Failed { get; private set; }

        public double Percentile(double ratio)
        {
            lock (_latenciesMs)
            {
                if (_latenciesMs.Count == 0) return 0;
                _latenciesMs.Sort();
                return _latenciesMs[(int)Math.Min(_latenciesMs.Count - 1, ratio * _latenciesMs.Count)];
            }
        }

        public async Task RunAsync(TimeProvider time, long start, TimeSpan phase, int perSecond, int warmUp, int count)
        {
            var free = System.Threading.Channels.Channel.CreateUnbounded<Socket>();
            for (var i = 0; i < Connections; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(_address);
                free.Writer.TryWrite(socket);
            }

            var running = new List<Task>();
            for (var i = 0; i < warmUp + count; i++)
            {
                var due = phase + TimeSpan.FromSeconds((double)i / perSecond);
                while (due - time.GetElapsedTime(start) is var ahead && ahead > TimeSpan.Zero) await Task.Delay(ahead < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : ahead);
                var sent = time.GetElapsedTime(start);
                running.Add(OneAsync(time, start, sent, free, i >= warmUp));
                if (running.Count > 1000) running.RemoveAll(t => t.IsCompleted);
            }

            await Task.WhenAll(running);
        }

        private async Task OneAsync(TimeProvider time, long start, TimeSpan due, System.Threading.Channels.Channel<Socket> free, bool counts)
        {
            var socket = await free.Reader.ReadAsync();
            var buffer = new byte[4096];
            try
            {
                await socket.SendAsync(_request, SocketFlags.None);
                var length = 0;
                while (!IsWhole(buffer.AsSpan(0, length)))
                {
                    var read = await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None);
                    if (read == 0) throw new IOException("closed");
                    length += read;
                }

                if (!buffer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8)) throw new IOException("not 200");
                var took = time.GetElapsedTime(start) - due;
                if (counts) lock (_latenciesMs) _latenciesMs.Add(took.TotalMilliseconds);
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Failed++;
            }

            free.Writer.TryWrite(socket);
        }

        private static bool IsWhole(ReadOnlySpan<byte> answer)
        {
            var end = answer.IndexOf("\r\n\r\n"u8);
            return end >= 0 && answer[(end + 4)..].EndsWith("}}"u8);
        }
    }
}
