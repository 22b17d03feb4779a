using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Engine.Http;
using Mesh.Engine.Http.Pages;
using Mesh.Testing;

namespace Mesh.Engine.Tests.Http.Pages;

/// <summary>The client against servers that do what they should not; the right ones are in <see cref="PageServersTests"/>.</summary>
public sealed class PageConnectionTests
{
    private const string Good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    [Fact]
    public async Task Get_Request_NamesThePageAndItsHost()
    {
        await using var server = new RawServer(async (socket, _) => { await RawServer.SendAsync(socket, Good); return true; });
        using var connection = Connect(server, path: "/metrics?name[]=x y");

        Assert.Equal("hello", await GetAsync(connection));
        Assert.StartsWith($"GET /metrics?name[]=x%20y HTTP/1.1\r\nHost: {server.Address}\r\n", server.LastRequest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_ManyTimes_UsesOneConnection()
    {
        await using var server = new RawServer(async (socket, _) => { await RawServer.SendAsync(socket, Good, 3); return true; });
        using var connection = Connect(server);

        for (var i = 0; i < 20; i++) Assert.Equal("hello", await GetAsync(connection));
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData("Content-Length: 200000\r\n\r\n", "")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n30d40\r\n", "\r\n0\r\n\r\n")]
    [InlineData("Connection: close\r\n\r\n", "")]
    public async Task Get_LargeBodyInManyPieces_IsRead_AndASmallOneAfterIt(string head, string end)
    {
        await using var server = new RawServer(async (socket, number) =>
        {
            var isLarge = number % 2 == 0;
            await RawServer.SendAsync(socket, isLarge ? $"HTTP/1.1 200 OK\r\n{head}{new string('x', 200_000)}{end}" : Good, pieceBytes: 3000);
            return !isLarge || !head.StartsWith("Connection", StringComparison.Ordinal);
        });
        using var connection = Connect(server, maxBytes: 200_000);

        for (var i = 0; i < 6; i++) Assert.Equal(i % 2 == 0 ? 200_000 : 5, (await GetAsync(connection)).Length);
    }

    [Fact]
    public async Task Get_LargeBodyCut_IsBrokenAtOnce()
    {
        await using var server = new RawServer(async (socket, _) =>
        {
            await RawServer.SendAsync(socket, $"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{new string('x', 150_000)}", pieceBytes: 3000);
            return false;
        });
        using var connection = Connect(server, maxBytes: 200_000);

        Assert.Equal(IoFailureKind.Broken, (await connection.GetAsync(default)).Kind);
    }

    [Theory]
    [InlineData("", "Broken")] // closes without a word
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "Broken")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", "Broken")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Broken")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n", "Malformed")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", "Malformed")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "TooLarge")]
    [InlineData("HTTP/1.1 503 Busy\r\n\r\nbusy", "Status")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n", "Status")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", "Status")]
    public async Task Get_WrongAnswer_SaysWhyAndWorksTheNextTime(string answer, string kind)
    {
        await using var server = new RawServer(async (socket, number) =>
        {
            await RawServer.SendAsync(socket, number == 0 ? answer : Good);
            return number > 0;
        });
        using var connection = Connect(server, maxBytes: 100);

        var failure = await connection.GetAsync(default);

        Assert.Equal(kind, failure.Kind.ToString());
        Assert.NotEqual("success", failure.Message);
        Assert.Equal("hello", await GetAsync(connection));
        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    public async Task Get_ServerCloses_OpensAnotherConnection(string answer)
    {
        await using var server = new RawServer(async (socket, _) => { await RawServer.SendAsync(socket, answer); return false; });
        using var connection = Connect(server);

        for (var i = 0; i < 3; i++) Assert.Equal("hello", await GetAsync(connection));
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task Get_ServerSaysMoreThanItsAnswer_TheRestIsNotTakenForTheNext()
    {
        await using var server = new RawServer(async (socket, _) =>
        {
            await RawServer.SendAsync(socket, Good + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            return true;
        });
        using var connection = Connect(server);

        for (var i = 0; i < 3; i++) Assert.Equal("hello", await GetAsync(connection));
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task Get_IdleConnectionWasClosed_AsksOnAnotherOneWithoutAFailure()
    {
        // Every second request meets the close: the server reads it and hangs up without a word.
        await using var server = new RawServer(async (socket, number) =>
        {
            if (number % 2 == 1) return false;
            await RawServer.SendAsync(socket, Good);
            return true;
        });
        using var connection = Connect(server);

        for (var i = 0; i < 4; i++) Assert.Equal("hello", await GetAsync(connection));
        Assert.Equal(4, server.Connections);
    }

    [Fact]
    public async Task Get_ServerResetsWhileIdle_AsksOnAnotherOneWithoutAFailure()
    {
        await using var server = new RawServer(async (socket, _) =>
        {
            await RawServer.SendAsync(socket, Good);
            socket.LingerState = new LingerOption(true, 0);
            return false;
        });
        using var connection = Connect(server);

        for (var i = 0; i < 4; i++) Assert.Equal("hello", await GetAsync(connection));
    }

    [Fact]
    public async Task Get_IdleForLongerThanServersKeepConnections_OpensAnotherOne()
    {
        var time = new ManualTimeProvider();
        await using var server = new RawServer(async (socket, _) => { await RawServer.SendAsync(socket, Good); return true; });
        using var connection = Connect(server, time: time);

        await GetAsync(connection);
        time.Advance(TimeSpan.FromSeconds(3.9));
        await GetAsync(connection);
        Assert.Equal(1, server.Connections);
        time.Advance(TimeSpan.FromSeconds(4.1));
        await GetAsync(connection);
        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello")]
    public async Task Get_ServerHangs_EndsWithTheTokenAndWorksTheNextTime(string start)
    {
        await using var server = new RawServer(async (socket, number) =>
        {
            await RawServer.SendAsync(socket, number == 0 ? start : Good);
            return true;
        });
        using var connection = Connect(server);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await connection.GetAsync(cancel.Token));
        Assert.Equal("hello", await GetAsync(connection));
    }

    [Fact]
    public async Task Get_NobodyListens_SaysSo()
    {
        var server = new RawServer((_, _) => Task.FromResult(false));
        var address = server.Address;
        await server.DisposeAsync();
        using var connection = new PageConnection(new Uri($"http://{address}/"), address, TimeSpan.FromSeconds(20), 100, TimeProvider.System);

        Assert.Equal(new IoFailure(IoFailureKind.Connect, "Connection refused"), await connection.GetAsync(default));
    }

    [Fact]
    public async Task Get_NoConnectionInTime_SaysSo()
    {
        // A listener whose queue is full answers nobody.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var address = (IPEndPoint)listener.LocalEndPoint!;
        var fillers = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            fillers.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false });
            try
            {
                await fillers[^1].ConnectAsync(address).WaitAsync(TimeSpan.FromMilliseconds(100));
            }
            catch (TimeoutException)
            {
            }
        }

        using var connection = new PageConnection(new Uri($"http://{address}/"), address, TimeSpan.FromMilliseconds(100), 100, TimeProvider.System);

        Assert.Equal(new IoFailure(IoFailureKind.Connect, "no connection in time"), await connection.GetAsync(default));
        foreach (var filler in fillers) filler.Dispose();
    }

    private static PageConnection Connect(RawServer server, string path = "/metrics", int maxBytes = 1000, TimeProvider? time = null) =>
        new(new Uri($"http://{server.Address}{path}"), server.Address, TimeSpan.FromSeconds(20), maxBytes, time ?? TimeProvider.System);

    private static async Task<string> GetAsync(PageConnection connection)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var failure = await connection.GetAsync(deadline.Token);
        Assert.Equal("success", failure.Message);
        return Encoding.UTF8.GetString(connection.Body);
    }
}
