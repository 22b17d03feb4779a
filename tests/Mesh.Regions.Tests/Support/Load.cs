using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Mesh.Regions.Tests.Support;

/// <summary>How one request ended.</summary>
/// <param name="Kind">What the client saw.</param>
/// <param name="Reason">The gateway's reason, or what broke.</param>
/// <param name="Took">From its sending to its end.</param>
/// <param name="FirstByte">From its sending to the first byte of its answer; null without one.</param>
/// <param name="Served">Address of the model server; null where none answered.</param>
/// <param name="HeadAt">From the start of the load to the head of the answer; null without one.</param>
internal sealed record Ended(EndKind Kind, string Reason, TimeSpan Took, TimeSpan? FirstByte, string? Served = null, TimeSpan? HeadAt = null)
{
    /// <summary>From the start of the load to its sending.</summary>
    public TimeSpan SentAt { get; init; }

    /// <summary>From the start of the load to its end.</summary>
    public TimeSpan EndedAt => SentAt + Took;
}

/// <summary>What a client saw of a request.</summary>
internal enum EndKind
{
    /// <summary>A whole answer.</summary>
    Answered,

    /// <summary>An error with a reason, before an answer began.</summary>
    Refused,

    /// <summary>An answer that began and ended with an error event.</summary>
    BrokenWithEvent,

    /// <summary>Anything else: never what a client should see.</summary>
    Lost,
}

/// <summary>Clients that each send one stream after another to one gateway, until they are told to stop.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1000 }) { Timeout = TimeSpan.FromSeconds(60) };
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly List<Task> _clients = [];
    private readonly Uri _target;
    private readonly int _tokens;
    private readonly long _began = TimeProvider.System.GetTimestamp();

    public Load(IPEndPoint gateway, int clients, int tokens)
    {
        _target = new Uri($"http://{gateway}/v1/completions");
        _tokens = tokens;
        for (var i = 0; i < clients; i++)
        {
            var number = i;
            _clients.Add(Task.Run(() => RunAsync(number)));
        }
    }

    /// <summary>Time since the load began.</summary>
    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_began);

    /// <summary>Requests that have ended, in order.</summary>
    public ConcurrentQueue<Ended> Requests { get; } = new();

    /// <summary>Lets every request end, and no other begin.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    /// <summary>All clients leave at once, in the middle of their answers.</summary>
    public async Task LeaveAsync()
    {
        await _stop.CancelAsync();
        await _leave.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _leave.Dispose();
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(int number)
    {
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var ended = await SendAsync(_client, _target, $"client {number} asks for the {i}th time", _tokens, _began, _leave.Token);
            Requests.Enqueue(ended);
            // Whoever is refused does not come back at once.
            if (ended.Kind != EndKind.Answered) await Task.Delay(50);
        }
    }

    /// <summary>Sends one request and reads its answer to the end.</summary>
    /// <param name="client">By what.</param>
    /// <param name="target">Where to.</param>
    /// <param name="prompt">Prompt.</param>
    /// <param name="tokens">Tokens of the answer.</param>
    /// <param name="origin">When the load began.</param>
    /// <param name="leave">Ends it in the middle.</param>
    public static async Task<Ended> SendAsync(HttpClient client, Uri target, string prompt, int tokens, long origin, CancellationToken leave)
    {
        var sent = TimeProvider.System.GetElapsedTime(origin);
        var began = TimeProvider.System.GetTimestamp();
        TimeSpan? first = null;
        TimeSpan Since() => TimeProvider.System.GetElapsedTime(began);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, target)
            {
                Content = new StringContent($$"""{"model":"food-review-1","prompt":"{{prompt}}","max_tokens":{{tokens}},"ignore_eos":true,"stream":true}""", Encoding.UTF8, "application/json"),
            };
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leave);
            if (!response.IsSuccessStatusCode)
            {
                var hasReason = response.Headers.TryGetValues("x-mesh-reason", out var reason);
                return new Ended(hasReason ? EndKind.Refused : EndKind.Lost, hasReason ? string.Join(',', reason!) : $"status {(int)response.StatusCode} without a reason", Since(), null) { SentAt = sent };
            }

            var head = TimeProvider.System.GetElapsedTime(origin);
            var served = response.Headers.TryGetValues("x-gateway-destination-endpoint-served", out var by) ? string.Join(',', by) : null;
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(leave));
            var last = "";
            while (await reader.ReadLineAsync(leave) is { } line)
            {
                first ??= Since();
                if (line.Length > 0) last = line;
            }

            if (last == "data: [DONE]") return new Ended(EndKind.Answered, "", Since(), first, served, head) { SentAt = sent };
            return new Ended(last.Contains("\"error\"", StringComparison.Ordinal) ? EndKind.BrokenWithEvent : EndKind.Lost, last, Since(), first, served, head) { SentAt = sent };
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new Ended(EndKind.Lost, e.Message, Since(), first) { SentAt = sent };
        }
    }
}
