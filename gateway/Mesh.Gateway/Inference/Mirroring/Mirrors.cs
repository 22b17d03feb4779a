using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Inference.Shaping;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference.Mirroring;

/// <summary>
/// Sends the copies that <c>RequestMirror</c> asks for and throws their answers away. A copy has its own lease, never waits in place of a
/// request and never delays or fails the original: what exceeds the bounds is dropped and counted.
/// </summary>
internal sealed partial class Mirrors(InferenceServices services, CancellationToken stopping)
{
    /// <summary>Most copies under way at a time.</summary>
    public const int MaxCopies = 256;

    /// <summary>Most bytes of bodies that copies hold at a time.</summary>
    public const long MaxBytes = 64 << 20;

    private readonly ILogger _log = services.Loggers.CreateLogger<Mirrors>();
    private int _copies;
    private long _bytes;

    /// <summary>Begins the copies of a request; returns at once and never throws.</summary>
    public void Send(InferenceExchange exchange)
    {
        foreach (var mirror in exchange.Target!.Rule.Filters.Mirrors) Send(exchange, mirror);
        if (exchange.BackendRef is not { } backend) return;
        foreach (var mirror in backend.Filters.Mirrors) Send(exchange, mirror);
    }

    private void Send(InferenceExchange exchange, RequestMirrorConfig mirror)
    {
        if (mirror.Ratio < 1 && services.Draw.NextRatio() >= mirror.Ratio) return;
        var pool = exchange.State!.Pool(mirror.Pool);
        var size = exchange.Body!.Length;
        if (pool is null || !TryEnter(size))
        {
            Count(mirror.Pool, pool is null ? "no_pool" : "dropped");
            return;
        }

        // Everything is copied: the original's headers are gone before the copy is.
        var (model, body) = BodyFor(exchange, pool);
        var copy = new MirrorCopy
        {
            Pool = pool,
            Route = new RouteRequest
            {
                RequestId = exchange.RequestId + "-mirror",
                Pool = mirror.Pool,
                Session = services.Engine.Session,
                Model = model,
                // Below every request that somebody waits for.
                Priority = Math.Min(exchange.State.PriorityOf(ControlHeaders.Objective(exchange.Context.Request.Headers), mirror.Pool), -1),
                FairnessId = "",
                PromptTokens = ExpectedLoad.PromptTokens(exchange),
                MaxOutputTokens = ExpectedLoad.OutputTokens(exchange),
                IsStreaming = exchange.Facts.Stream,
                BodyBytes = size,
            },
            HeldBytes = size,
            Method = exchange.Context.Request.Method,
            Target = UpstreamRequests.TargetFor(exchange),
            Host = UpstreamRequests.HostFor(exchange),
            Headers = UpstreamRequests.Headers(exchange),
            Body = body,
        };
        _ = Task.Run(() => SendAsync(copy), CancellationToken.None);
    }

    /// <summary>The client's body, or a copy with the model that the mirror's own pool sends instead; a reference is held either way.</summary>
    private (string? Model, PooledBody Body) BodyFor(InferenceExchange exchange, PoolEntry pool)
    {
        var asked = exchange.Facts.Model!;
        var target = pool.Config.ModelRewrites.IsEmpty ? null : ModelChoice.Find(pool.Config.ModelRewrites, asked, services.Draw);
        if (target is not null && target != asked)
        {
            return (target, BodyEditor.Apply(exchange.Body!, [new BodyEdit(exchange.Facts.ModelValue, ModelChoice.Encode(target, exchange.Facts))]));
        }

        exchange.Body!.TryRetain();
        return (asked, exchange.Body);
    }

    private async Task SendAsync(MirrorCopy copy)
    {
        var lease = new LeaseScope(services.Engine.Router);
        try
        {
            using var timeout = new CancellationTokenSource(copy.Pool.Config.Timeout < MirrorCopy.MaxTime ? copy.Pool.Config.Timeout : MirrorCopy.MaxTime, services.Time);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
            var decision = await services.Engine.Router.RouteAsync(copy.Route, ending.Token);
            if (decision.Kind != RouteKind.Send)
            {
                Count(copy.Route.Pool, "refused");
                return;
            }

            lease.Take(copy.Route.Pool, decision.Lease);
            var result = await services.Upstream.SendAsync(copy.RequestTo(decision.Endpoint, services.Keys), ending.Token);
            var outcome = await ReadToEndAsync(result, timeout.Token, ending.Token);
            lease.Complete(outcome);
            Count(copy.Route.Pool, outcome == OutcomeKind.Success ? "answered" : "failed");
        }
        catch (OperationCanceledException)
        {
            Count(copy.Route.Pool, "failed");
        }
        catch (Exception e)
        {
            CopyFailed(_log, copy.Route.RequestId, e);
            Count(copy.Route.Pool, "failed");
        }
        finally
        {
            lease.Complete(OutcomeKind.NotSent);
            copy.Body.Release();
            Interlocked.Add(ref _bytes, -copy.HeldBytes);
            Interlocked.Decrement(ref _copies);
        }
    }

    private static async Task<OutcomeKind> ReadToEndAsync(UpstreamResult result, CancellationToken timeout, CancellationToken cancellationToken)
    {
        if (result.Response is null)
        {
            if (result.Failure != UpstreamFailure.Cancelled) return OutcomeKind.ConnectFailure;
            return timeout.IsCancellationRequested ? OutcomeKind.Timeout : OutcomeKind.ClientGone;
        }

        await using var response = result.Response;
        UpstreamChunk chunk;
        do chunk = await response.ReadAsync(cancellationToken);
        while (!chunk.Bytes.IsEmpty);
        return chunk.Failure switch
        {
            UpstreamFailure.None => AnswerRelay.OutcomeFor(response.StatusCode),
            UpstreamFailure.Cancelled => timeout.IsCancellationRequested ? OutcomeKind.Timeout : OutcomeKind.ClientGone,
            _ => OutcomeKind.StreamBroken,
        };
    }

    private bool TryEnter(int size)
    {
        if (Interlocked.Increment(ref _copies) > MaxCopies)
        {
            Interlocked.Decrement(ref _copies);
            return false;
        }

        if (Interlocked.Add(ref _bytes, size) <= MaxBytes) return true;
        Interlocked.Add(ref _bytes, -size);
        Interlocked.Decrement(ref _copies);
        return false;
    }

    private void Count(PoolId pool, string result) => services.Metrics.Mirrored.With(pool.ToString(), result).Increment();

    [LoggerMessage(1, LogLevel.Warning, "The copy {RequestId} of a request failed inside the gateway.")]
    private static partial void CopyFailed(ILogger log, string requestId, Exception e);
}
