using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Limits;

/// <summary>Each limit against a client on a raw socket that goes beyond it.</summary>
public sealed class LimitTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const string Key = "sk-0123456789abcdef0123456789";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static string Post(string headers = "", string? body = Body, int? length = null) =>
        $"POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {length ?? body!.Length}\r\n{headers}\r\n{body}";

    [Fact]
    public async Task Headers_TooLarge_Is431()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.HeaderBytes = 2048);
        Assert.StartsWith("HTTP/1.1 431 ", await TalkAsync(gateway, Post($"X-Large: {new string('x', 4096)}\r\n")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await TalkAsync(gateway, Post($"Connection: close\r\nX-Large: {new string('x', 1024)}\r\n")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_TooMany_Is431()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.HeaderCount = 20);
        var many = string.Concat(Enumerable.Range(0, 30).Select(i => $"X-{i}: 1\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await TalkAsync(gateway, Post(many)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestLine_TooLong_Is414()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.RequestLineBytes = 512);
        Assert.StartsWith("HTTP/1.1 414 ", await TalkAsync(gateway, $"GET /{new string('a', 1024)} HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_TooSlow_Is408()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.HeaderTimeout = TimeSpan.FromSeconds(1));
        Assert.StartsWith("HTTP/1.1 408 ", await TalkAsync(gateway, "POST /v1/completions HTTP/1.1\r\nHost: h\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_TooLarge_Is413Unread()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.MaxBodyBytes = 1000);
        var answer = await TalkAsync(gateway, Post("Connection: close\r\n", "", 1001));
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_large\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_InChunksTooLarge_Is413()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.MaxBodyBytes = 1000);
        var chunk = $"258\r\n{new string(' ', 600)}\r\n";
        var answer = await TalkAsync(gateway, $"POST /v1/completions HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}");
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_NotWholeInTime_Is408()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.BodyTimeout = TimeSpan.FromSeconds(1));
        var answer = await TalkAsync(gateway, Post("Connection: close\r\n", "{", 100));
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_slow\"", answer, StringComparison.Ordinal);
        Assert.Empty(gateway.Engine.Requests);
    }

    [Fact]
    public async Task Body_BelowTheLeastRate_Is408()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => { o.Limits.Grace = TimeSpan.FromSeconds(2); o.Limits.MinBodyBytesPerSecond = 1_000_000; });
        var answer = await TalkAsync(gateway, Post("Connection: close\r\n", "{", 100));
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_MoreThanTheBudget_Is503_AndRoomComesBack()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await end.WaitAsync(x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.BufferedBodyBytes = 1 << 20);
        var large = $$"""{"model":"m1","prompt":"{{new string('x', 600_000)}}"}""";
        var first = gateway.PostAsync(large);
        await Eventually.TrueAsync(() => !backend.Requests.IsEmpty, "the first is on its way", 20_000);
        using var refused = await gateway.PostAsync(large);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("buffers_full", (await ErrorBody.ReadAsync(refused)).Code);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        end.Release(2);
        using var done = await first;
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the first is over");
        using var next = await gateway.PostAsync(large);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task Requests_MoreThanAtATime_Is503_AndRoomComesBack()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await end.WaitAsync(x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.ConcurrentRequests = 1);
        var first = gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => !backend.Requests.IsEmpty, "the first is on its way");
        using var refused = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("too_many_requests", (await ErrorBody.ReadAsync(refused)).Code);
        Assert.NotNull(refused.Headers.RetryAfter);
        end.Release(2);
        using var done = await first;
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the first is over");
        using var next = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (done.StatusCode, next.StatusCode));
    }

    [Fact]
    public async Task Connections_MoreThanAllowed_AreClosedAtOnce()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.Connections = 1);
        using var first = await gateway.ConnectAsync();
        await first.SendAsync(Encoding.ASCII.GetBytes(Post()));
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAsync(first, untilClosed: false), StringComparison.Ordinal);
        Assert.Equal("", await TalkAsync(gateway, Post()));
        await first.SendAsync(Encoding.ASCII.GetBytes(Post("Connection: close\r\n")));
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAsync(first), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_Idle_IsClosed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Limits.IdleTimeout = TimeSpan.FromSeconds(1));
        Assert.StartsWith("HTTP/1.1 200 ", await TalkAsync(gateway, Post()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_ThatNobodyTakes_ClosesTheConnection()
    {
        var large = new string('x', 16 << 20);
        await using var backend = ScriptedBackend.Answering(200, large);
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => { o.Limits.Grace = TimeSpan.FromSeconds(2); o.Limits.MinAnswerBytesPerSecond = 100_000_000; });
        using var socket = await gateway.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Post()));
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 1, "it is under way", 20_000);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0 && gateway.Host.OpenRequests == 0, "the client is given up, and the lease comes back", 30_000);
    }

    [Fact]
    public async Task RequestsPerMinute_Reached_Is429WithHeaders()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(e => e.RequestsPerMinute = 2));
        using var first = await PostAsync(gateway);
        Assert.Equal((HttpStatusCode.OK, "2", "1"), (first.StatusCode, Header(first, "x-ratelimit-limit-requests"), Header(first, "x-ratelimit-remaining-requests")));
        using var second = await PostAsync(gateway);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        using var refused = await PostAsync(gateway);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var error = await ErrorBody.ReadAsync(refused);
        Assert.Equal(("requests", "rate_limit_exceeded"), (error.Type, error.Code));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
        Assert.Equal("0", Header(refused, "x-ratelimit-remaining-requests"));
        Assert.Equal(2, backend.Requests.Count);
    }

    [Fact]
    public async Task MaxConcurrentRequests_Reached_Is429UntilOneEnds()
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await end.WaitAsync(x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(e => e.MaxConcurrentRequests = 2));
        var open = new[] { PostAsync(gateway), PostAsync(gateway) };
        await Eventually.TrueAsync(() => backend.Requests.Count == 2, "both are under way");
        using (var refused = await PostAsync(gateway))
        {
            var error = await ErrorBody.ReadAsync(refused);
            Assert.Equal((HttpStatusCode.TooManyRequests, "requests", "too_many_concurrent_requests"), (refused.StatusCode, error.Type, error.Code));
            Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
            Assert.Contains("2 requests under way", error.Message, StringComparison.Ordinal);
        }

        end.Release(2);
        foreach (var one in await Task.WhenAll(open)) one.Dispose();
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "they are over");
        end.Release(3);
        for (var i = 0; i < 3; i++)
        {
            using var again = await PostAsync(gateway);
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        }
    }

    [Fact]
    public async Task TokensPerMinute_EstimatedFirstThenByUsage()
    {
        await using var backend = ScriptedBackend.Answering(200, """{"usage":{"prompt_tokens":400,"completion_tokens":550}}""");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(e => e.TokensPerMinute = 1000));
        using var first = await PostAsync(gateway);
        Assert.Equal((HttpStatusCode.OK, "1000"), (first.StatusCode, Header(first, "x-ratelimit-limit-tokens")));
        // While it is under way the estimate of one token is all that is taken.
        Assert.InRange(int.Parse(Header(first, "x-ratelimit-remaining-tokens")!, System.Globalization.CultureInfo.InvariantCulture), 990, 999);
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the first is over");
        using var refused = await PostAsync(gateway, $$"""{"model":"m1","prompt":"{{new string('x', 3600)}}"}""");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var error = await ErrorBody.ReadAsync(refused);
        Assert.Equal(("tokens", "rate_limit_exceeded"), (error.Type, error.Code));
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task TokensPerMinute_MoreThanAMinutesWorth_IsRefusedWithoutAWait()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(e => e.TokensPerMinute = 100));
        using var refused = await PostAsync(gateway, $$"""{"model":"m1","prompt":"{{new string('x', 1000)}}"}""");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.StartsWith("Request too large for key `team`", (await ErrorBody.ReadAsync(refused)).Message, StringComparison.Ordinal);
        Assert.Null(refused.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("--Mesh:Limits:HeaderBytes=1", "HeaderBytes")]
    [InlineData("--Mesh:Limits:ConcurrentRequests=0", "ConcurrentRequests")]
    [InlineData("--Mesh:Limits:BodyTimeout=00:00:00", "BodyTimeout")]
    [InlineData("--Mesh:Keys:FailuresPerMinute=0", "FailuresPerMinute")]
    [InlineData("--Mesh:Keys:Jwt:ClockSkew=01:00:00", "ClockSkew")]
    [InlineData("--Mesh:Keys:Mode=Sometimes", "Mode")]
    [InlineData("--Mesh:Limits:Nothing=1", "Nothing")]
    public void Options_OutOfRangeOrUnknown_AreNamed(string argument, string named) =>
        Assert.Contains(named, Assert.Throws<GatewayConfigurationException>(() => CommandLine.Read([argument])).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_AsDocumented_AreRead()
    {
        var options = CommandLine.Read(
        [
            "--Mesh:Keys:Entries:a:Hash=h", "--Mesh:Keys:Entries:a:Roles:0=reader", "--Mesh:Keys:Entries:a:TokensPerMinute=5", "--Mesh:Keys:Entries:a:NotAfter=2030-01-02T03:04:05Z",
            "--Mesh:Keys:Mode=required", "--Mesh:Certificates:store:Certificate=c.pem", "--Mesh:Certificates:store:ClientCertificate=Optional",
        ]);
        Assert.Equal((KeyMode.Required, "h", 5), (options.Keys.Mode, options.Keys.Entries["a"].Hash, options.Keys.Entries["a"].TokensPerMinute));
        Assert.Equal(["reader"], options.Keys.Entries["a"].Roles!);
        Assert.Equal(2030, options.Keys.Entries["a"].NotAfter!.Value.Year);
        Assert.Equal("c.pem", options.Certificates["store"].Certificate);
    }

    private static Action<GatewayOptions> With(Action<KeyEntry> set) => options =>
    {
        var entry = new KeyEntry { Hash = KeyHash.Of("team", Key).ToString() };
        set(entry);
        options.Keys.Entries["team"] = entry;
    };

    private static Task<HttpResponseMessage> PostAsync(TestGateway gateway, string body = Body) => gateway.PostAsync(body, edit: r => r.Headers.Add("x-api-key", Key));

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    /// <summary>Sends bytes and reads until the gateway closes.</summary>
    private static async Task<string> TalkAsync(TestGateway gateway, string request)
    {
        using var socket = await gateway.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        return await ReadAsync(socket);
    }

    private static async Task<string> ReadAsync(Socket socket, bool untilClosed = true)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer, SocketFlags.None, deadline.Token);
                if (read == 0) break;
                text.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (!untilClosed && text.ToString().EndsWith("{}", StringComparison.Ordinal)) break;
            }
        }
        catch (SocketException)
        {
            // A reset after the answer is an end too.
        }

        return text.ToString();
    }
}
