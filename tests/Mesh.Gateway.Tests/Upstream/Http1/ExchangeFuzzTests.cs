using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Tests.Upstream.Http1;

/// <summary>
/// The whole client over real sockets, against a server that answers with whole, mutated, cut, doubled and torn answers. Every exchange ends, and what a server sent beyond an
/// answer never reaches the next request. <c>MESH_LONG=1 dotnet test -c Release tests/Mesh.Gateway.Tests --filter ExchangeFuzz</c> runs 100,000 exchanges; a failure names the seed.
/// </summary>
public sealed class ExchangeFuzzTests
{
    private const int Lanes = 8;
    private const string Leftover = "<mark-ffffffffffffffff>";

    private static readonly int Exchanges = Environment.GetEnvironmentVariable("MESH_LONG") == "1" ? 100_000 : 3_000;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Exchanges_WithEveryKindOfAnswer_EndAndKeepApart(bool usesLoops)
    {
        var limits = new UpstreamLimits { HeadTimeout = TimeSpan.FromSeconds(1), IdleTimeout = TimeSpan.FromSeconds(1) };
        using var client = new SocketUpstreamClient(limits, TimeProvider.System, usesLoops);
        var counts = new int[Lanes, 4];
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(() => LaneAsync(client, lane, counts))));
        var (whole, broken, kept, total) = (Sum(counts, 0), Sum(counts, 1), Sum(counts, 2), Sum(counts, 3));
        Assert.Equal(Exchanges / Lanes * Lanes, total);
        // All of it happened: answers that came through, answers that did not, and connections that served more than one of them.
        Assert.True(whole > total / 4 && broken > total / 10 && kept > total / 10, $"whole {whole}, broken {broken}, kept {kept} of {total}");
    }

    private static async Task LaneAsync(SocketUpstreamClient client, int lane, int[,] counts)
    {
        using var server = new MutatingServer();
        var before = "<none>";
        for (var i = 0; i < Exchanges / Lanes; i++)
        {
            var seed = ((ulong)lane << 32) | (uint)i;
            server.Next = new Script(seed);
            var exchange = ExchangeAsync(client, server, seed);
            if (await Task.WhenAny(exchange, Task.Delay(Hang)) != exchange) Assert.Fail($"seed {seed:x}: hangs");
            var (isWhole, text) = await exchange;
            counts[lane, 3]++;
            counts[lane, isWhole ? 0 : 1]++;
            if (server.Reused) counts[lane, 2]++;
            // The server marks every answer with its number: bytes of another one would show.
            Assert.False(text.Contains(before, StringComparison.Ordinal) || text.Contains(Leftover, StringComparison.Ordinal), $"seed {seed:x}: bytes of another answer in '{text}'");
            if (!server.Next.IsMutated && isWhole) Assert.True(text == server.Next.Text, $"seed {seed:x}: got '{text}' for '{server.Next.Text}'");
            if (!server.Next.IsMutated && seed % 37 != 0 && seed % 11 != 0) Assert.True(isWhole, $"seed {seed:x}: a good answer failed after '{text}'");
            before = server.Next.Mark;
            Assert.True(client.PoolOf(server.Id) is { BusyCount: 0, IdleCount: <= 1 }, $"seed {seed:x}: a connection is lost");
        }
    }

    private static async Task<(bool IsWhole, string Text)> ExchangeAsync(SocketUpstreamClient client, MutatingServer server, ulong seed)
    {
        using var cancel = new CancellationTokenSource();
        if (seed % 37 == 0) cancel.CancelAfter(TimeSpan.FromMilliseconds(seed % 5));
        var request = UpstreamHarness.Request(server.Id, new string('x', (int)(seed % 9000)));
        try
        {
            var result = await client.SendAsync(request, cancel.Token);
            if (result.Response is not { } response) return (false, "");
            await using var owned = response;
            var text = new StringBuilder();
            // Some stop reading in the middle.
            var most = seed % 11 == 0 ? (int)(seed % 64) : int.MaxValue;
            while (text.Length <= most)
            {
                var chunk = await response.ReadAsync(cancel.Token);
                if (chunk.Bytes.IsEmpty) return (chunk.IsEnd, text.ToString());
                text.Append(Encoding.Latin1.GetString(chunk.Bytes.Span));
            }

            return (false, text.ToString());
        }
        finally
        {
            request.Body.Release();
        }
    }

    private static int Sum(int[,] counts, int column)
    {
        var sum = 0;
        for (var lane = 0; lane < Lanes; lane++) sum += counts[lane, column];
        return sum;
    }

    /// <summary>One answer: what is sent, in which pieces, and how the connection goes on.</summary>
    private sealed class Script
    {
        public Script(ulong seed)
        {
            var random = new Xoshiro256(seed + 1);
            Mark = string.Create(CultureInfo.InvariantCulture, $"<mark-{seed:x16}>");
            var kind = random.NextInt32(10);
            // Bytes beyond an answer come with it in one packet: what came later could not be told from the next answer by anyone.
            var isOne = kind == 7;
            Text = Mark + new string('b', random.NextInt32(!isOne && random.NextInt32(4) == 0 ? 40_000 : 200));
            var head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + (random.NextInt32(8) == 0 ? "Connection: close\r\n" : "");
            var answer = random.NextInt32(3) switch
            {
                0 => $"{head}Content-Length: {Text.Length}\r\n\r\n{Text}",
                1 => $"{head}Transfer-Encoding: chunked\r\n\r\n{Chunks(Text, random)}0\r\n\r\n",
                _ => $"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{head}Content-Length: {Text.Length}\r\n\r\n{Text}",
            };
            Bytes = Encoding.Latin1.GetBytes(answer);
            IsMutated = kind >= 5;
            switch (kind)
            {
                case 5:
                    for (var i = random.NextInt32(4); i >= 0; i--) Bytes[random.NextInt32(Bytes.Length)] = (byte)random.NextInt32(256);
                    // A few leave the client to its time-outs.
                    Closes = random.NextInt32(60) != 0;
                    break;
                case 6:
                    Bytes = Bytes[..random.NextInt32(Bytes.Length)];
                    Closes = true;
                    break;
                case 7:
                    // Another answer that nobody asked for, or the beginning of one.
                    var more = Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{Leftover}leftover!");
                    Bytes = [.. Bytes, .. more[..(1 + random.NextInt32(more.Length))]];
                    IsMutated = false;
                    break;
                case 8:
                    for (var i = 0; i < Bytes.Length && i < 200; i++) Bytes[i] = (byte)random.NextInt32(256);
                    Closes = random.NextInt32(60) != 0;
                    break;
                case 9:
                    Closes = true;
                    Resets = random.NextInt32(2) == 0;
                    Bytes = random.NextInt32(2) == 0 ? [] : Bytes;
                    break;
            }

            Pieces = !isOne && random.NextInt32(3) == 0 ? 1 + random.NextInt32(20) : 1;
        }

        public string Mark { get; }

        public string Text { get; }

        public byte[] Bytes { get; }

        public bool IsMutated { get; }

        public bool Closes { get; }

        public bool Resets { get; }

        public int Pieces { get; }

        private static string Chunks(string text, Xoshiro256 random)
        {
            var chunks = new StringBuilder();
            for (var at = 0; at < text.Length;)
            {
                var length = Math.Min(text.Length - at, 1 + random.NextInt32(5000));
                chunks.Append(CultureInfo.InvariantCulture, $"{length:x}\r\n").Append(text.AsSpan(at, length)).Append("\r\n");
                at += length;
            }

            return chunks.ToString();
        }
    }

    /// <summary>Reads requests and plays what is next.</summary>
    private sealed class MutatingServer : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private volatile Script _next = new(0);
        private volatile bool _reused;

        public MutatingServer()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(64);
            Id = new EndpointId(_listener.LocalEndPoint!.ToString()!);
            _ = AcceptAsync();
        }

        public EndpointId Id { get; }

        public Script Next
        {
            get => _next;
            set => _next = value;
        }

        public bool Reused
        {
            get => _reused;
            private set => _reused = value;
        }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _ = ServeAsync(await _listener.AcceptAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ServeAsync(Socket socket)
        {
            using var owned = socket;
            socket.NoDelay = true;
            var reader = new BackendReader(socket);
            try
            {
                for (var number = 1; await reader.ReadAsync(CancellationToken.None) is not null; number++)
                {
                    Reused = number > 1;
                    var script = Next;
                    var size = Math.Max(1, script.Bytes.Length / script.Pieces);
                    for (var at = 0; at < script.Bytes.Length; at += size)
                    {
                        await socket.SendAsync(script.Bytes.AsMemory(at, Math.Min(size, script.Bytes.Length - at)));
                        if (script.Pieces > 1) await Task.Yield();
                    }

                    if (script.Resets) socket.LingerState = new LingerOption(true, 0);
                    if (script.Closes) return;
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The client gave the connection up.
            }
        }
    }
}
