using System.Net;
using System.Net.Sockets;
using Mesh.Gateway.Federation;

namespace Mesh.Regions.Tests.Links;

public sealed class PeerDialerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Dial_SomebodyListens_BytesComeAcross()
    {
        using var listener = PeerDialer.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var limit = new CancellationTokenSource(Patience);
        var accepting = listener.AcceptAsync(limit.Token);
        await using var stream = await PeerDialer.DialAsync(Address(listener), limit.Token);
        using var accepted = await accepting;
        await stream.WriteAsync(new byte[] { 7 }, limit.Token);
        var got = new byte[1];
        Assert.Equal(1, await accepted.ReceiveAsync(got, limit.Token));
        Assert.Equal(7, got[0]);
    }

    [Fact]
    public async Task Dial_NobodyListens_FailsAtOnce()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var limit = new CancellationTokenSource(Patience);
        var e = await Assert.ThrowsAsync<SocketException>(async () => await PeerDialer.DialAsync(Address(bound), limit.Token));
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
    }

    [Fact]
    public async Task Dial_NoAnswer_EndsWhenItIsCancelled()
    {
        // A full queue answers nobody: the system drops further first packets.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var others = new List<Socket>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                others.Add(other);
                _ = other.ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
            }

            using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await PeerDialer.DialAsync(Address(listener), limit.Token));
        }
        finally
        {
            foreach (var other in others) other.Dispose();
        }
    }

    private static DnsEndPoint Address(Socket listener) => new("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);
}
