using System.Net;
using System.Net.Sockets;
using Mesh.Zmtp.Transport;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public sealed class ZmtpPollerTests
{
    private readonly ZmtpPoller _poller = new();

    [Fact]
    public async Task Receive_ManyConnections_EachGetsItsOwnBytesInOrder()
    {
        const int connections = 50, messages = 200;
        var pairs = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => ConnectAsync()));
        var reading = pairs.Select(async (pair, number) =>
        {
            var room = new byte[64];
            for (var next = 0; next < messages;)
            {
                var count = await pair.Transport.ReceiveAsync(room);
                for (var i = 0; i < count; i++) Assert.Equal((byte)(number + next++), room[i]);
            }
        }).ToArray();
        for (var i = 0; i < messages; i++)
        {
            for (var number = 0; number < connections; number++) await pairs[number].Peer.SendAsync(new[] { (byte)(number + i) });
        }

        await Task.WhenAll(reading).WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var (transport, peer) in pairs) Close(transport, peer);
    }

    [Fact]
    public async Task Receive_OneSendsWithoutEnd_TheOthersAreReadAllTheSame()
    {
        var (flooded, flooding) = await ConnectAsync();
        var (quiet, other) = await ConnectAsync();
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            var bytes = new byte[64 << 10];
            while (!stop.IsCancellationRequested) await flooding.SendAsync(bytes);
        });
        var draining = DrainAsync(flooded);
        var room = new byte[16];
        for (byte i = 0; i < 20; i++)
        {
            await other.SendAsync(new[] { i });
            Assert.Equal(1, await quiet.ReceiveAsync(room).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Equal(i, room[0]);
        }

        await stop.CancelAsync();
        await sending;
        Close(flooded, flooding);
        Assert.True(await draining.WaitAsync(TimeSpan.FromSeconds(30)) > 0);
        Close(quiet, other);
    }

    [Fact]
    public async Task Dispose_WhileBytesAreWaitedFor_EndsTheWait()
    {
        var (transport, peer) = await ConnectAsync();
        var waiting = transport.ReceiveAsync(new byte[16]).AsTask();
        transport.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(() => waiting.WaitAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAnyAsync<Exception>(async () => await transport.ReceiveAsync(new byte[16]));
        peer.Dispose();
    }

    [Fact]
    public async Task Send_PeerDoesNotRead_WaitsAndGoesOn()
    {
        var (transport, peer) = await ConnectAsync();
        const int bytes = 8 << 20;
        var sending = Task.Run(async () =>
        {
            ReadOnlyMemory<byte> rest = new byte[bytes];
            while (!rest.IsEmpty) rest = rest[await transport.SendAsync(rest)..];
        });
        var room = new byte[1 << 16];
        for (var got = 0; got < bytes;) got += await peer.ReceiveAsync(room).WaitAsync(TimeSpan.FromSeconds(30));

        await sending;
        Close(transport, peer);
    }

    [Fact]
    public async Task Connect_AllConnectionsGone_TheNextOneIsLookedAtAgain()
    {
        for (var i = 0; i < 3; i++)
        {
            var (transport, peer) = await ConnectAsync();
            await peer.SendAsync(new byte[] { 7 });
            Assert.Equal(1, await transport.ReceiveAsync(new byte[16]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
            Close(transport, peer);
        }
    }

    private static void Close(PolledTransport transport, Socket peer)
    {
        transport.Dispose();
        peer.Dispose();
    }

    private static async Task<long> DrainAsync(PolledTransport transport)
    {
        var room = new byte[16 << 10];
        var all = 0L;
        try
        {
            while (await transport.ReceiveAsync(room) is var count and > 0) all += count;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        return all;
    }

    private async Task<(PolledTransport Transport, Socket Peer)> ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var transport = new PolledTransport(_poller);
        var connecting = transport.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port, CancellationToken.None).AsTask();
        var peer = await listener.AcceptAsync();
        await connecting.WaitAsync(TimeSpan.FromSeconds(30));
        return (transport, peer);
    }
}
