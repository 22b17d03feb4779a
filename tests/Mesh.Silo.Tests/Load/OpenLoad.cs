using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Mesh.Silo.Tests;

/// <summary>One request of the load.</summary>
/// <param name="At">When it was sent, since the beginning of the load.</param>
/// <param name="Gateway">To which gateway.</param>
/// <param name="Took">Until its answer was complete, or it failed.</param>
/// <param name="Failure">Null when it was answered; else why not.</param>
internal readonly record struct SentRequest(TimeSpan At, int Gateway, TimeSpan Took, string? Failure);

/// <summary>Requests at a steady rate, whether answers come or not, to the gateways that are said to be open.</summary>
internal sealed class OpenLoad : IDisposable
{
    private static readonly byte[] Body = Prompt(maxTokens: 20);

    private readonly ConcurrentQueue<SentRequest> _done = new();
    private readonly ConcurrentDictionary<Task, byte> _open = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2), MaxConnectionsPerServer = 4096 })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    private readonly Task _sending;
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private volatile int[] _gateways;

    public OpenLoad(ProcessRegion region, double perSecond, params int[] gateways)
    {
        _gateways = gateways;
        _sending = Task.Run(() => SendAsync(region, perSecond));
    }

    /// <summary>Time since the load began.</summary>
    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_began);

    /// <summary>From now on to these alone, as a balancer does that knows who is ready.</summary>
    public void Use(params int[] gateways) => _gateways = gateways;

    /// <summary>Sends no more, and waits for every answer.</summary>
    public async Task<IReadOnlyList<SentRequest>> StopAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        await Task.WhenAll(_open.Keys);
        return [.. _done.OrderBy(r => r.At)];
    }

    /// <summary>A request's body.</summary>
    public static byte[] Prompt(int maxTokens) => Encoding.UTF8.GetBytes(
        $$"""{"model":"meta-llama/Llama-3.1-8B-Instruct","prompt":"What is the best pizza in the world?","max_tokens":{{maxTokens}},"ignore_eos":true}""");

    public void Dispose()
    {
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task SendAsync(ProcessRegion region, double perSecond)
    {
        var sent = 0L;
        while (!_stop.IsCancellationRequested)
        {
            for (var due = (long)(Now.TotalSeconds * perSecond); sent < due; sent++)
            {
                var gateways = _gateways;
                var gateway = gateways[sent % gateways.Length];
                var task = OneAsync(region.GatewayUri(gateway), gateway);
                _open.TryAdd(task, 0);
                _ = task.ContinueWith(t => _open.TryRemove(t, out _), TaskScheduler.Default);
            }
            await Task.Delay(2).ConfigureAwait(false);
        }
    }

    private async Task OneAsync(Uri gateway, int index)
    {
        var at = Now;
        string? failure = null;
        try
        {
            using var content = new ByteArrayContent(Body);
            content.Headers.ContentType = new("application/json");
            using var answer = await _http.PostAsync(new Uri(gateway, "/v1/completions"), content);
            if (answer.StatusCode != HttpStatusCode.OK) failure = $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}";
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            failure = e.Message;
        }
        _done.Enqueue(new SentRequest(at, index, Now - at, failure));
    }
}
