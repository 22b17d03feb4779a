using System.Net;
using System.Net.Sockets;
using Mesh.Zmtp;
using Mesh.Zmtp.Transport;
using Mesh.Testing;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

/// <summary>Over a socket that wakes a thread for every packet.</summary>
public sealed class WokenConnectionTests : ZmtpConnectionTests
{
    private protected override ZmtpTransport Transport() => new WokenTransport();
}

/// <summary>Over one that a poller looks at.</summary>
public sealed class PolledConnectionTests : ZmtpConnectionTests
{
    private protected override ZmtpTransport Transport() => new PolledTransport(ZmtpPoller.Shared);
}

public abstract class ZmtpConnectionTests : IDisposable
{
    private const int OpeningBytes = 64 + 27;

    private readonly ManualTimeProvider _clock = new();
    private readonly FakePeer _peer = new();

    [Fact]
    public async Task Open_HandshakeInSmallPieces_Succeeds()
    {
        await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());
        var opening = connection.OpenAsync("127.0.0.1", _peer.Port, default).AsTask();
        await _peer.AcceptAsync();
        foreach (var b in (byte[])[.. Greeting(), .. Ready("PUB")]) await _peer.SendAsync(b);

        Assert.True(await opening);
        Assert.Equal(1, connection.PeerMinorVersion);
        Assert.StartsWith("FF", await _peer.ReceiveAsync(OpeningBytes));
        connection.Subscribe("kv"u8);
        Assert.Equal("040C09" + Convert.ToHexString("SUBSCRIBEkv"u8), await _peer.ReceiveAsync(14));
    }

    [Fact]
    public async Task Open_ByNameAndByAddress_BothConnect()
    {
        foreach (var host in (string[])["127.0.0.1", "localhost"])
        {
            await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());
            var opening = connection.OpenAsync(host, _peer.Port, default).AsTask();
            await _peer.AcceptAsync();
            await _peer.SendAsync([.. Greeting(), .. Ready("PUB")]);
            Assert.True(await opening);
        }
    }

    [Fact]
    public async Task Open_NobodyListens_IsConnectFailed()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());

        Assert.False(await connection.OpenAsync("127.0.0.1", port, default));
        Assert.Equal(ZmtpFailure.ConnectFailed, connection.Failure);
        Assert.False(await connection.FillAsync());
    }

    [Fact]
    public async Task Open_PeerSaysNothing_IsHandshakeTimeout()
    {
        await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());
        var opening = connection.OpenAsync("127.0.0.1", _peer.Port, default).AsTask();
        await _peer.AcceptAsync();
        await _peer.ReceiveAsync(OpeningBytes);
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(opening.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.1));

        Assert.False(await opening);
        Assert.Equal(ZmtpFailure.HandshakeTimeout, connection.Failure);
    }

    [Fact]
    public async Task Open_Cancelled_IsClosed()
    {
        using var cancel = new CancellationTokenSource();
        await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());
        var opening = connection.OpenAsync("127.0.0.1", _peer.Port, cancel.Token).AsTask();
        await _peer.AcceptAsync();
        await cancel.CancelAsync();

        Assert.False(await opening);
        Assert.Equal(ZmtpFailure.Closed, connection.Failure);
    }

    [Fact]
    public async Task Open_PeerIsAnotherServer_SaysSo()
    {
        await using var connection = new ZmtpConnection(ZmtpSocketType.Sub, new ZmtpOptions(), _clock, Transport());
        var opening = connection.OpenAsync("127.0.0.1", _peer.Port, default).AsTask();
        await _peer.AcceptAsync();
        await _peer.SendAsync([.. "HTTP/1.1 400 Bad Request"u8]);

        Assert.False(await opening);
        Assert.Equal(ZmtpFailure.NotZmtp, connection.Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fill_PeerHangsUp_IsPeerClosed(bool reset)
    {
        await using var connection = await OpenAsync();
        _peer.Hang(reset);

        Assert.False(await connection.FillAsync());
        Assert.Equal(ZmtpFailure.PeerClosed, connection.Failure);
        Assert.False(connection.TryRead(out _));
    }

    [Fact]
    public async Task Read_MessagesAcrossReads_ComeWholeAndInOrder()
    {
        await using var connection = await OpenAsync();
        byte[] stream = [.. Message([], Body(8, 1), Body(40_000, 2)), .. Message([], Body(8, 3), Body(10, 4))];
        var sending = _peer.SendAsync(stream);
        var sizes = new List<int>();
        while (sizes.Count < 2)
        {
            while (connection.TryRead(out var message)) sizes.Add(message[2].Length);
            if (sizes.Count < 2) Assert.True(await connection.FillAsync());
        }
        await sending;

        Assert.Equal([40_000, 10], sizes);
    }

    [Fact]
    public async Task Read_FrameBeyondTheBound_EndsTheConnectionWithoutItsMemory()
    {
        await using var connection = await OpenAsync(new ZmtpOptions { MaxFrameBytes = 1 << 20, MaxMessageBytes = 2 << 20 });
        await _peer.SendAsync(2, 0, 0, 0, 0, 0x7F, 0, 0, 0);
        while (!connection.TryRead(out _) && connection.Failure == ZmtpFailure.None) await connection.FillAsync();

        Assert.Equal(ZmtpFailure.FrameTooLarge, connection.Failure);
        Assert.InRange(connection.ReceiveBufferBytes, 0, 64 << 10);
        Assert.EndsWith(" then closed", await _peer.ReceiveAsync(1));
    }

    [Fact]
    public async Task Read_Ping_IsAnswered()
    {
        await using var connection = await OpenAsync();
        await _peer.SendAsync(Command("PING", 0, 50, 7, 8, 9));
        Assert.True(await connection.FillAsync());
        while (connection.TryRead(out _)) Assert.Fail("a PING is no message");

        Assert.Equal("0408" + "04504F4E47" + "070809", await _peer.ReceiveAsync(10));
    }

    [Fact]
    public async Task Heartbeat_SilentPeer_IsAskedAndThenGivenUp()
    {
        await using var connection = await OpenAsync();
        var fill = connection.FillAsync().AsTask();
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("0407" + "0450494E47" + "0096", await _peer.ReceiveAsync(9));
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(fill.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2.5));

        Assert.False(await fill);
        Assert.Equal(ZmtpFailure.HeartbeatTimeout, connection.Failure);
    }

    [Fact]
    public async Task Heartbeat_PeerAnswers_GoesOn()
    {
        await using var connection = await OpenAsync();
        for (var round = 0; round < 10; round++)
        {
            var fill = connection.FillAsync().AsTask();
            _clock.Advance(TimeSpan.FromSeconds(5));
            await _peer.ReceiveAsync(9);
            await _peer.SendAsync(Command("PONG"));
            Assert.True(await fill);
            Assert.False(connection.TryRead(out _));
        }

        Assert.Equal(ZmtpFailure.None, connection.Failure);
    }

    [Fact]
    public async Task Heartbeat_PeerOfVersion30_IsNotAsked()
    {
        await using var connection = await OpenAsync(minor: 0);
        var fill = connection.FillAsync().AsTask();
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(fill.IsCompleted);
        await _peer.SendAsync(Message(Body(1, 1)));

        Assert.True(await fill);
    }

    [Fact]
    public async Task Heartbeat_ReaderIsBusyElsewhere_SilenceIsNotThePeers()
    {
        await using var connection = await OpenAsync();
        _clock.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(ZmtpFailure.None, connection.Failure);
    }

    [Fact]
    public async Task IdleTimeout_AnyPeer_EndsTheConnection()
    {
        await using var connection = await OpenAsync(new ZmtpOptions { HeartbeatInterval = TimeSpan.Zero, IdleTimeout = TimeSpan.FromSeconds(2) }, minor: 0);
        var fill = connection.FillAsync().AsTask();
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(fill.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1.1));

        Assert.False(await fill);
        Assert.Equal(ZmtpFailure.IdleTimeout, connection.Failure);
    }

    [Fact]
    public async Task Send_PeerReadsNothing_EndsAtTheBound()
    {
        await using var connection = await OpenAsync(new ZmtpOptions { MaxUnsentBytes = 1 << 20 });
        var megabyte = new byte[1 << 19];
        for (var i = 0; i < 200 && connection.Failure == ZmtpFailure.None; i++) connection.Send([], megabyte);

        Assert.Equal(ZmtpFailure.OutputFull, connection.Failure);
    }

    [Fact]
    public async Task Dispose_Twice_IsClosedOnce()
    {
        var connection = await OpenAsync();
        await connection.DisposeAsync();
        await connection.DisposeAsync();

        Assert.Equal(ZmtpFailure.Closed, connection.Failure);
        Assert.EndsWith(" then closed", await _peer.ReceiveAsync(1));
    }

    public void Dispose()
    {
        _peer.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract ZmtpTransport Transport();

    private async Task<ZmtpConnection> OpenAsync(ZmtpOptions? options = null, int minor = 1)
    {
        var connection = new ZmtpConnection(ZmtpSocketType.Sub, options ?? new ZmtpOptions(), _clock, Transport());
        var opening = connection.OpenAsync("127.0.0.1", _peer.Port, default).AsTask();
        await _peer.AcceptAsync();
        await _peer.SendAsync([.. Greeting(minor), .. Ready("PUB")]);
        Assert.True(await opening);
        await _peer.ReceiveAsync(OpeningBytes);
        return connection;
    }
}
