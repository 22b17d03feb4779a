using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests.Upstream;

/// <summary>
/// What the gateway allocates, client socket to endpoint socket. Client and endpoint are threads that allocate nothing, and the engine
/// is one that allocates nothing, as the real one does.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class AllocationTests
{
    private static readonly byte[] Plain = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 04:58:29 GMT\r\nServer: uvicorn\r\nContent-Length: 300\r\n\r\n" + new string('x', 300));

    private static readonly byte[] StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray();

    private static readonly byte[] Chunk = Encoding.ASCII.GetBytes($"d1\r\ndata: {new string('y', 201)}\n\n\r\n");

    [Fact]
    public async Task PlainRequest_AllocatesAtMostAKibibyte()
    {
        await using var setting = await Setting.StartAsync();
        using var backend = setting.Serve(static socket =>
        {
            var buffer = new byte[8192];
            while (socket.Receive(buffer) > 0) socket.Send(Plain);
        });
        using var client = setting.Gateway.Connect();
        var prompt = string.Concat(Enumerable.Repeat("What is the best pizza in the world? ", 27));
        var request = Encoding.ASCII.GetBytes(Post($"{{\"model\":\"m1\",\"prompt\":\"{prompt}\",\"max_tokens\":100,\"temperature\":0}}"));
        var buffer = new byte[8192];
        client.Send(request);
        var size = client.Receive(buffer);
        Assert.StartsWith("HTTP/1.1 200 OK", Encoding.ASCII.GetString(buffer, 0, size), StringComparison.Ordinal);

        long Run(int count)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < count; i++)
            {
                client.Send(request);
                // Its length differs by a digit of the request's id at most.
                for (var got = 0; got < size - 4;) got += client.Receive(buffer);
            }

            return (GC.GetTotalAllocatedBytes(precise: true) - before) / count;
        }

        Run(3000);
        // The whole process is counted, and what tests before this one left behind may be at work for a while: what it allocates in as long a time without
        // a request is taken off, and the middle one of some rounds is the request's own.
        var rounds = new List<(long Bytes, long Idle)>();
        for (var round = 0; round < 9; round++)
        {
            var start = TimeProvider.System.GetTimestamp();
            var busy = Run(3000);
            var took = TimeProvider.System.GetElapsedTime(start);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            Thread.Sleep(took);
            var idle = (GC.GetTotalAllocatedBytes(precise: true) - before) / 3000;
            rounds.Add((busy - idle, idle));
        }

        var bytes = rounds.Select(r => r.Bytes).Order().ElementAt(rounds.Count / 2);
        Assert.True(bytes <= 1024, $"{bytes} bytes for a plain request: {string.Join(", ", rounds)}");
    }

    [Fact]
    public async Task RelayedChunk_AllocatesNothing()
    {
        using var go = new SemaphoreSlim(0);
        await using var setting = await Setting.StartAsync();
        using var backend = setting.Serve(socket =>
        {
            var buffer = new byte[8192];
            socket.Receive(buffer);
            socket.Send(StreamHead);
            while (true)
            {
                go.Wait();
                socket.Send(Chunk);
            }
        });
        using var client = setting.Gateway.Connect();
        client.Send(Encoding.ASCII.GetBytes(Post("{\"model\":\"m1\",\"prompt\":\"hi\",\"stream\":true}")));
        var buffer = new byte[8192];
        var head = client.Receive(buffer);
        Assert.EndsWith("\r\n\r\n", Encoding.ASCII.GetString(buffer, 0, head), StringComparison.Ordinal);

        long Run(int count)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < count; i++)
            {
                go.Release();
                // One chunk is on its way at a time: each is relayed alone.
                for (var got = 0; got < Chunk.Length;) got += client.Receive(buffer);
            }

            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        Run(5000);
        const int Chunks = 4000;
        var bytes = Math.Min(Run(Chunks), Math.Min(Run(Chunks), Run(Chunks)));
        // What the process does beside, timers and the like, is a few kilobytes; one object per chunk would be a hundred.
        Assert.True(bytes < Chunks * 4, $"{bytes} bytes for {Chunks} chunks");
    }

    private static string Post(string body) => $"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>A gateway whose engine always sends to one listener.</summary>
    private sealed class Setting(TcpListener listener, GatewayHost host, IPEndPoint address) : IAsyncDisposable
    {
        public GatewayAddress Gateway { get; } = new(address);

        public static async Task<Setting> StartAsync()
        {
            var listener = new TcpListener(FreePorts.NextAddress());
            listener.Start();
            var address = FreePorts.NextAddress();
            var options = new GatewayOptions { BindAddress = address.Address.ToString(), DrainTimeout = TimeSpan.Zero, Listeners = { ["80"] = address.ToString() } };
            var endpoint = new EndpointId(listener.LocalEndpoint.ToString()!);
            var host = await GatewayHost.StartAsync(options, Configs.For(endpoint), new QuietEngine(endpoint), TimeProvider.System, NullLoggerFactory.Instance);
            return new Setting(listener, host, address);
        }

        /// <summary>Serves every connection on a thread of its own.</summary>
        public IDisposable Serve(Action<Socket> serve)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        var socket = listener.AcceptSocket();
                        socket.NoDelay = true;
                        new Thread(() => Guard(() => serve(socket))) { IsBackground = true }.Start();
                    }
                }
                catch (SocketException)
                {
                    // The end.
                }
            }) { IsBackground = true };
            thread.Start();
            return listener;
        }

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            await host.DisposeAsync();
        }

        private static void Guard(Action serve)
        {
            try
            {
                serve();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The end.
            }
        }
    }

    /// <summary>Where the gateway is.</summary>
    private sealed class GatewayAddress(IPEndPoint address)
    {
        public Socket Connect()
        {
            // Never used asynchronously: such a socket would allocate for each wait.
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(address);
            return socket;
        }
    }

    private sealed class QuietEngine(EndpointId endpoint) : IMeshEngine, IRouter
    {
        private long _leases;

        public IRouter Router => this;

        public GatewaySession Session { get; } = new("gateway", 1);

        public ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken) =>
            new(RouteDecision.Send(endpoint, new BackendId("c1", "z1", 8000), new LeaseId(1, Interlocked.Increment(ref _leases)), DecisionReason.BestScore));

        public void ReportFirstByte(PoolId pool, LeaseId lease)
        {
        }

        public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
        {
        }

        public void Reconfigure(MeshConfig config)
        {
        }

        public ImmutableArray<PoolSnapshot> Snapshot() => [];

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
