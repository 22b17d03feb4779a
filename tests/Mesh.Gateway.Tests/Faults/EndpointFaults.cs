using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>Every fault of an endpoint that the gateway promises to bear, in the order of the README's table.</summary>
internal static class EndpointFaults
{
    private const string PlainHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    private static readonly TimeSpan Brief = TimeSpan.FromMilliseconds(500);
    private static readonly Action<GatewayOptions> SoonStalled = o => o.IdleTimeout = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<Fault> All { get; } =
    [
        new("refuses connections", "502 `all_attempts_failed`", "all_attempts_failed", OutcomeKind.ConnectFailure, "connect_failed"),
        new("accepts and never reads or answers", "504 `timeout`", "timeout", OutcomeKind.Timeout)
        {
            Instead = (_, stop) => Task.Delay(Timeout.Infinite, stop),
            Timeout = Brief,
        },
        new("hangs before the head", "504 `timeout`", "timeout", OutcomeKind.Timeout) { Script = x => x.UntilClosedAsync(), Timeout = Brief },
        new("hangs before the head, with `HeadTimeout`", "504 `timeout`", "timeout", OutcomeKind.Timeout, "timeout")
        {
            Script = x => x.UntilClosedAsync(),
            Options = o => o.HeadTimeout = TimeSpan.FromSeconds(1),
        },
        new("resets before the head", "502 `all_attempts_failed`", "all_attempts_failed", OutcomeKind.ConnectFailure, "reset") { Script = ResetAsync },
        new("closes before the head", "502 `all_attempts_failed`", "all_attempts_failed", OutcomeKind.ConnectFailure, "reset") { Script = CloseAsync },
        new("closes an idle connection just as it is used again", "200, whole", "complete", OutcomeKind.Success)
        {
            Script = x => x.Number == 1 ? x.SendAsync(ScriptedBackend.Http(200, "{}")) : ResetAsync(x),
            ShowsOnReuse = true,
        },
        new("ends within the head", "502 `broken_answer`", "broken_answer", OutcomeKind.StreamBroken) { Script = Then("HTTP/1.1 200 OK\r\nContent-Ty", CloseAsync) },
        new("sends garbage for a head", "502 `broken_answer`", "broken_answer", OutcomeKind.StreamBroken) { Script = x => x.SendAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n") },
        new("sends a head above 64 KiB", "502 `broken_answer`", "broken_answer", OutcomeKind.StreamBroken)
        {
            Script = x => x.SendAsync($"{PlainHead}X-Big: {new string('a', 100_000)}\r\nContent-Length: 0\r\n\r\n"),
        },
        new("sends a head, then nothing; plain", "504 `answer_stalled`", "stalled", OutcomeKind.Timeout)
        {
            Script = Then(PlainHead + "Content-Length: 100\r\n\r\n", x => x.UntilClosedAsync()),
            Options = SoonStalled,
        },
        new("sends a head, then nothing; stream", "200, event `answer_stalled`", "stalled", OutcomeKind.Timeout)
        {
            Script = Stream(null, x => x.UntilClosedAsync()),
            Options = SoonStalled,
        },
        new("stalls in mid-stream", "200, event `answer_stalled`", "stalled", OutcomeKind.Timeout)
        {
            Script = Stream("data: 1\n\n", x => x.UntilClosedAsync()),
            Options = SoonStalled,
        },
        new("stalls in mid-stream until the request's time is over", "200, event `timeout`", "timeout", OutcomeKind.Timeout)
        {
            Script = Stream("data: 1\n\n", x => x.UntilClosedAsync()),
            Timeout = Brief,
        },
        new("resets in mid-stream", "200, event `stream_broken`", "stream_broken", OutcomeKind.StreamBroken) { Script = Stream("data: 1\n\n", ResetAsync) },
        new("closes in mid-stream", "200, event `stream_broken`", "stream_broken", OutcomeKind.StreamBroken) { Script = Stream("data: 1\n\n", CloseAsync) },
        new("sends garbage in mid-stream", "200, event `stream_broken`", "stream_broken", OutcomeKind.StreamBroken)
        {
            Script = Stream("data: 1\n\n", x => x.SendAsync("zz\r\n\0\0\0")),
        },
        new("resets within a plain body", "200, connection aborted", "stream_broken", OutcomeKind.StreamBroken)
        {
            Script = Then(PlainHead + "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"half\"\r\n", ResetAsync),
        },
        new("ends the stream without `[DONE]`", "200, whole", "complete", OutcomeKind.Success) { Script = Stream("data: 1\n\n", x => x.SendAsync("0\r\n\r\n")) },
        new("sends less than its `Content-Length`", "200, connection aborted", "stream_broken", OutcomeKind.StreamBroken)
        {
            Script = Then(PlainHead + "Content-Length: 100\r\n\r\n{}", CloseAsync),
        },
        new("sends nothing of its `Content-Length`", "502 `broken_answer`", "broken_answer", OutcomeKind.StreamBroken)
        {
            Script = Then(PlainHead + "Content-Length: 100\r\n\r\n", CloseAsync),
        },
        new("sends more than its `Content-Length`", "200, whole", "complete", OutcomeKind.Success)
        {
            Script = x => x.SendAsync(PlainHead + "Content-Length: 2\r\n\r\n{}{\"and\":\"more\"}"),
        },
        new("answers 429", "429 of the endpoint", "complete", OutcomeKind.Success) { Script = Status(429) },
        new("answers 500", "500 of the endpoint", "complete", OutcomeKind.ServerError) { Script = Status(500) },
        new("answers 502", "502 of the endpoint", "complete", OutcomeKind.ServerError, "bad_gateway") { Script = Status(502) },
        new("answers 503", "503 of the endpoint", "complete", OutcomeKind.EndpointFull, "endpoint_full") { Script = Status(503) },
        new("answers 504", "504 of the endpoint", "complete", OutcomeKind.ServerError, "bad_gateway") { Script = Status(504) },
        new("drips a stream slowly", "200, whole", "complete", OutcomeKind.Success) { Script = DripStreamAsync, Options = SoonStalled },
        new("drips a head and a plain body slowly", "200, whole", "complete", OutcomeKind.Success)
        {
            Script = x => DripAsync(x, PlainHead + "Content-Length: 2\r\n\r\n{}", 9),
            Options = SoonStalled,
        },
    ];

    private static Task ResetAsync(BackendExchange exchange)
    {
        exchange.Reset();
        return Task.CompletedTask;
    }

    private static Task CloseAsync(BackendExchange exchange)
    {
        exchange.Close();
        return Task.CompletedTask;
    }

    private static Func<BackendExchange, Task> Status(int status) => x => x.SendAsync(ScriptedBackend.Http(status, """{"error":"by the endpoint"}"""));

    private static Func<BackendExchange, Task> Then(string sent, Func<BackendExchange, Task> end) => async x =>
    {
        await x.SendAsync(sent);
        // A reset throws away what the other side has not read yet.
        await Task.Delay(50, x.Stop);
        await end(x);
    };

    private static Func<BackendExchange, Task> Stream(string? first, Func<BackendExchange, Task> end) => async x =>
    {
        await x.SendStreamHeadAsync();
        if (first is not null) await x.SendChunkAsync(first);
        await Task.Delay(50, x.Stop);
        await end(x);
    };

    // Longer in all than the silence that is allowed, and never silent for as long.
    private static async Task DripStreamAsync(BackendExchange exchange)
    {
        await exchange.SendStreamHeadAsync();
        await DripAsync(exchange, "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n", 4);
    }

    private static async Task DripAsync(BackendExchange exchange, string text, int step)
    {
        for (var at = 0; at < text.Length; at += step)
        {
            await exchange.SendAsync(text.Substring(at, Math.Min(step, text.Length - at)));
            await Task.Delay(250, exchange.Stop);
        }
    }
}
