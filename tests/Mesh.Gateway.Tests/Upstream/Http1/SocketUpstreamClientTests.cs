using System.Text;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Upstream;
using Mesh.Gateway.Upstream.Http1;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Upstream.Http1;

public sealed class SocketUpstreamClientTests
{
    [Fact]
    public async Task Send_TwoInARow_UseOneConnection()
    {
        await using var backend = ScriptedBackend.Answering(200, "{\"a\":1}");
        using var harness = new UpstreamHarness();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal((200, "{\"a\":1}", UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id)));
            Assert.Equal((1, 0), (harness.Client.PoolOf(backend.Id).IdleCount, harness.Client.PoolOf(backend.Id).BusyCount));
        }

        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_AreCounted_EachClosedForOneReason(bool usesLoops)
    {
        var metrics = new GatewayMetrics();
        await using var backend = ScriptedBackend.Start(async x =>
        {
            var body = x.Request.Body;
            await x.SendAsync(ScriptedBackend.Http(200, "{}", extraHeaders: body.Contains("close", StringComparison.Ordinal) ? "Connection: close\r\n" : ""));
            if (body.Contains("close", StringComparison.Ordinal) || body.Contains("end", StringComparison.Ordinal)) x.Close();
        });
        await using var garbage = ScriptedBackend.Start(x => x.SendAsync("garbage\r\n\r\n"));
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        using (var harness = new UpstreamHarness(usesLoops: usesLoops, metrics: metrics))
        {
            await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id));
            await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id, "\"close\""));
            await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id, "\"end\""));
            await Eventually.TrueAsync(() => Closed("idle_ended") == 1, "the end of an idle connection is seen");
            await harness.ExchangeAsync(UpstreamHarness.Request(garbage.Id));
            using var cancel = new CancellationTokenSource();
            var hanging = harness.ExchangeAsync(UpstreamHarness.Request(hangs.Id), cancel.Token);
            await Eventually.TrueAsync(() => !hangs.Requests.IsEmpty, "the request is there");
            await cancel.CancelAsync();
            Assert.Equal(UpstreamFailure.Cancelled, (await hanging).Failure);
            await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id));
        }

        Assert.Equal((5, 1), (metrics.UpstreamOpened.With().Value, metrics.UpstreamReused.With().Value));
        Assert.Equal((1, 1, 1, 1, 1), (Closed("not_kept"), Closed("idle_ended"), Closed("broken"), Closed("aborted"), Closed("shutdown")));

        long Closed(string reason) => (long)metrics.UpstreamClosed.With(reason).Value;
    }

    [Fact]
    public async Task Send_Head_IsComplete_AndBodyUnchanged()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        using var harness = new UpstreamHarness();
        var headers = new HeaderDictionary { ["X-A"] = new(["1", "2"]), ["Cookie"] = new(["a=1", "b=2"]), ["Connection"] = "X-Hop", ["X-Hop"] = "1", ["Expect"] = "100-continue", ["X-Evil"] = "a\r\nX-Injected: 1" };
        var body = new string('ä', 100_000);
        await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id, body, target: "/v1/x y\r\nz?q=ü", headers: headers));
        var request = backend.Requests.Single();
        Assert.Equal("POST /v1/x%20y%0D%0Az?q=%C3%BC HTTP/1.1", request.RequestLine);
        Assert.Equal(["Content-Length", "Cookie", "Host", "X-A", "X-Request-Id"], request.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("1, 2", "a=1; b=2", backend.Address.ToString()), (request.Headers["X-A"], request.Headers["Cookie"], request.Headers["Host"]));
        Assert.Equal(body, request.Body);
    }

    [Fact]
    public async Task Send_FinalHeaders_CannotOverrideTheFraming()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        using var harness = new UpstreamHarness();
        var headers = new HeaderDictionary { ["Content-Length"] = "1", ["Transfer-Encoding"] = "chunked", ["Authorization"] = "Bearer own" };
        var request = UpstreamHarness.Request(backend.Id, "{\"a\":1}", headers: headers);
        await harness.ExchangeAsync(new UpstreamRequest { Endpoint = request.Endpoint, Method = "POST", Target = "/", Headers = headers, HeadersAreFinal = true, RequestId = "r", Body = request.Body });
        var sent = backend.Requests.Single();
        Assert.Equal(("7", "Bearer own", false, "{\"a\":1}"), (sent.Headers["Content-Length"], sent.Headers["Authorization"], sent.Headers.ContainsKey("Transfer-Encoding"), sent.Body));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: 1\r\n\r\n", 200, "hello", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", 304, "", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil!", 200, "hello", false)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204, "", false)]
    public async Task Answer_Framings_WholeAndByteByByte(string answer, int status, string text, bool isKept)
    {
        foreach (var piece in new[] { answer.Length, 1 })
        {
            await using var backend = ScriptedBackend.Start(async x =>
            {
                for (var at = 0; at < answer.Length; at += piece) await x.SendAsync(answer[at..Math.Min(at + piece, answer.Length)]);
            });
            using var harness = new UpstreamHarness();
            Assert.Equal((status, text, UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id)));
            await Eventually.TrueAsync(() => harness.Client.PoolOf(backend.Id).IdleCount == (isKept ? 1 : 0), "the connection is kept or not");
            Assert.Equal(0, harness.Client.PoolOf(backend.Id).BusyCount);
        }
    }

    [Theory]
    [InlineData("", "ResetBeforeHead")]
    [InlineData("HTTP/1.1 20", "InvalidAnswer")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "BodyBroken")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "BodyBroken")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "BodyBroken")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", "BodyBroken")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", "None")]
    public async Task Answer_ClosedAfter_IsTold(string answer, string failure)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            if (answer.Length > 0) await x.SendAsync(answer);
            x.Close();
        });
        using var harness = new UpstreamHarness();
        Assert.Equal(failure, (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Failure.ToString());
        Assert.Equal((0, 0), (harness.Client.PoolOf(backend.Id).IdleCount, harness.Client.PoolOf(backend.Id).BusyCount));
        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task Answer_EndlessInterimHeads_IsInvalid()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            while (true) await x.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        });
        using var harness = new UpstreamHarness();
        Assert.Equal(UpstreamFailure.InvalidAnswer, (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Failure);
    }

    [Fact]
    public async Task Answer_Headers_AreRelayedButForThoseOfTheHop()
    {
        await using var backend = ScriptedBackend.Start(x => x.SendAsync(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nX-One: 1\r\nset-cookie: b=2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Mesh-Reason: no\r\nX-Ünicode: x\r\n\r\n{}".Replace("Ü", "u", StringComparison.Ordinal)));
        using var harness = new UpstreamHarness();
        for (var i = 0; i < 2; i++)
        {
            var result = await harness.Client.SendAsync(UpstreamHarness.Request(backend.Id), CancellationToken.None);
            await using var response = result.Response!;
            var headers = new HeaderDictionary();
            response.CopyHeadersTo(headers);
            Assert.Equal(["Content-Length", "Set-Cookie", "X-One", "X-unicode"], headers.Keys.Order(StringComparer.Ordinal));
            Assert.Equal((2, "a=1,b=2"), (headers.ContentLength, headers["Set-Cookie"].ToString()));
            await response.ReadAsync(CancellationToken.None);
            Assert.Throws<InvalidOperationException>(() => response.CopyHeadersTo(headers));
        }
    }

    [Fact]
    public async Task IdleConnection_ClosedByTheEndpoint_LeavesThePoolAtOnce()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
            await Task.Delay(20);
            x.Close();
        });
        using var harness = new UpstreamHarness();
        Assert.Equal(200, (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Status);
        await Eventually.TrueAsync(() => harness.Client.PoolOf(backend.Id).IdleCount == 0, "the closed connection leaves the pool");
        Assert.Equal(200, (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Status);
        Assert.Equal(2, backend.Requests.Count);
    }

    [Fact]
    public async Task IdleConnection_SendsWhatNobodyAskedFor_IsNotUsedAgain()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
            await Task.Delay(20);
            await x.SendAsync(ScriptedBackend.Http(200, "\"evil\""));
        });
        using var harness = new UpstreamHarness();
        Assert.Equal("{}", (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Text);
        await Eventually.TrueAsync(() => harness.Client.PoolOf(backend.Id).IdleCount == 0, "the connection leaves the pool");
        Assert.Equal("{}", (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Text);
    }

    [Fact]
    public async Task ReusedConnection_ClosedOnTheRequest_IsSentOnceMoreOnAFreshOne_AFreshOneIsNot()
    {
        var closes = true;
        await using var backend = ScriptedBackend.Start(async x =>
        {
            // A server whose time for idle connections runs out just as the second request comes in.
            if (x.Number > 1 && closes) x.Reset();
            else await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        using var harness = new UpstreamHarness();
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).Status);
        Assert.Equal(5, backend.Requests.Count);
        closes = false;
        await using var dead = ScriptedBackend.Start(x =>
        {
            x.Reset();
            return Task.CompletedTask;
        });
        Assert.Equal(UpstreamFailure.ResetBeforeHead, (await harness.ExchangeAsync(UpstreamHarness.Request(dead.Id))).Failure);
        Assert.Single(dead.Requests);
    }

    [Fact]
    public async Task Idle_TooOld_IsClosed()
    {
        var time = new ManualTimeProvider();
        await using var backend = ScriptedBackend.Answering(200, "{}");
        using var harness = new UpstreamHarness(new UpstreamLimits { MaxIdleAge = TimeSpan.FromSeconds(3) }, time);
        await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, harness.Client.PoolOf(backend.Id).IdleCount);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, harness.Client.PoolOf(backend.Id).IdleCount);
        await Eventually.TrueAsync(() => backend.OpenConnections == 0, "the endpoint sees it closed");
    }

    [Fact]
    public async Task Idle_MoreThanAllowed_AreClosed()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await gate.Task;
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        using var harness = new UpstreamHarness(new UpstreamLimits { MaxIdlePerEndpoint = 2 });
        var all = Enumerable.Range(0, 5).Select(_ => harness.ExchangeAsync(UpstreamHarness.Request(backend.Id))).ToArray();
        await Eventually.TrueAsync(() => backend.Requests.Count == 5, "all are under way");
        gate.SetResult();
        foreach (var one in all) Assert.Equal(200, (await one).Status);
        Assert.Equal(2, harness.Client.PoolOf(backend.Id).IdleCount);
        await Eventually.TrueAsync(() => backend.OpenConnections == 2, "the others are closed");
    }

    [Theory]
    [InlineData(false, "HeadTimeout")]
    [InlineData(true, "Stalled")]
    public async Task Silence_TooLong_EndsTheExchange(bool sendsHead, string failure)
    {
        var time = new ManualTimeProvider();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            if (sendsHead) await x.SendStreamHeadAsync();
            sent.SetResult();
            await x.UntilClosedAsync();
        });
        using var harness = new UpstreamHarness(new UpstreamLimits { HeadTimeout = TimeSpan.FromSeconds(2), IdleTimeout = TimeSpan.FromSeconds(2) }, time);
        var exchange = harness.ExchangeAsync(UpstreamHarness.Request(backend.Id));
        await sent.Task;
        for (var i = 0; i < 200 && !exchange.IsCompleted; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20);
        }

        Assert.Equal(failure, (await exchange).Failure.ToString());
        await Eventually.TrueAsync(() => backend.OpenConnections == 0, "the endpoint sees it closed");
    }

    [Theory]
    [InlineData("head")]
    [InlineData("body")]
    [InlineData("sending")]
    public async Task Cancelled_AtEachStage_ClosesTheConnection(string stage)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reads = stage != "sending";
        await using var backend = ScriptedBackend.Start(
            async x =>
            {
                if (stage == "body") await x.SendStreamHeadAsync();
                reached.TrySetResult();
                await x.UntilClosedAsync();
            },
            reads ? null : (_, stop) =>
            {
                reached.TrySetResult();
                return Task.Delay(Timeout.Infinite, stop);
            });
        using var harness = new UpstreamHarness();
        using var cancel = new CancellationTokenSource();
        var exchange = harness.ExchangeAsync(UpstreamHarness.Request(backend.Id, reads ? "{}" : new string('x', 20_000_000)), cancel.Token);
        await reached.Task;
        await Task.Delay(30);
        Assert.False(exchange.IsCompleted);
        await cancel.CancelAsync();
        Assert.Equal(UpstreamFailure.Cancelled, (await exchange).Failure);
        Assert.Equal(0, harness.Client.PoolOf(backend.Id).BusyCount);
        if (reads) await Eventually.TrueAsync(() => backend.OpenConnections == 0, "the endpoint sees it closed");
    }

    [Fact]
    public async Task DisposedBeforeItsEnd_ClosesTheConnection_TwiceDoesNoHarm()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        using var harness = new UpstreamHarness();
        var result = await harness.Client.SendAsync(UpstreamHarness.Request(backend.Id), CancellationToken.None);
        Assert.Equal("data: 1\n\n", Encoding.UTF8.GetString((await result.Response!.ReadAsync(CancellationToken.None)).Bytes.Span));
        await result.Response.DisposeAsync();
        await result.Response.DisposeAsync();
        Assert.Equal((0, 0), (harness.Client.PoolOf(backend.Id).IdleCount, harness.Client.PoolOf(backend.Id).BusyCount));
        await Eventually.TrueAsync(() => backend.OpenConnections == 0, "the endpoint sees it closed");
    }

    [Fact]
    public async Task EarlyRefusal_OfALargeBody_IsTheAnswer()
    {
        await using var backend = ScriptedBackend.Start(
            _ => Task.CompletedTask,
            async (socket, stop) =>
            {
                await socket.SendAsync("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig!"u8.ToArray());
                await Task.Delay(200, stop);
            });
        using var harness = new UpstreamHarness();
        Assert.Equal((413, "big!", UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(backend.Id, new string('x', 200_000))));
    }

    [Fact]
    public async Task NoSuchEndpoint_IsConnectFailed()
    {
        using var harness = new UpstreamHarness(new UpstreamLimits { ConnectTimeout = TimeSpan.FromSeconds(1) });
        Assert.Equal(UpstreamFailure.ConnectFailed, (await harness.ExchangeAsync(UpstreamHarness.Request(Configs.Dead()))).Failure);
        Assert.Equal(UpstreamFailure.ConnectFailed, (await harness.ExchangeAsync(UpstreamHarness.Request(new("nonsense")))).Failure);
        Assert.Equal(UpstreamFailure.ConnectFailed, (await harness.ExchangeAsync(UpstreamHarness.Request(new("no.such.host.invalid:80")))).Failure);
    }
}
