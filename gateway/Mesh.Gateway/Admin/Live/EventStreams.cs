using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Admin.Live;

/// <summary>Server-sent events to viewers: how many there may be, how long one may take nothing, and their end when the gateway stops. Thread-safe.</summary>
/// <param name="errors">Answers to those that are too many.</param>
/// <param name="stopping">Ends every stream.</param>
internal sealed class EventStreams(ErrorReporter errors, CancellationToken stopping)
{
    /// <summary>Most streams at a time.</summary>
    public const int Max = 64;

    // What a viewer that reads nothing costs must end.
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(30);

    private int _open;

    /// <summary>Runs a stream until its viewer leaves, takes nothing for too long, or the gateway stops.</summary>
    /// <param name="context">Request.</param>
    /// <param name="run">Writes the events.</param>
    public async Task RunAsync(HttpContext context, Func<EventSink, CancellationToken, Task> run)
    {
        if (Interlocked.Increment(ref _open) > Max)
        {
            Interlocked.Decrement(ref _open);
            await errors.RefuseAsync(context, GatewayErrors.TooManyViewers, $"{Max} viewers follow this gateway already.", TimeSpan.FromSeconds(10));
            return;
        }

        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            // Proxies that gather answers would make a live page a late one.
            context.Response.Headers["X-Accel-Buffering"] = "no";
            if (HttpMethods.IsHead(context.Request.Method)) return;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await run(new EventSink(context, WriteTimeout), end.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or TimeoutException)
        {
            // The viewer left, or takes nothing; there is nobody to tell.
            if (e is TimeoutException) context.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}

/// <summary>Where the events of one viewer go.</summary>
internal sealed class EventSink(HttpContext context, TimeSpan timeout)
{
    /// <summary>Writes whole events and sends them on.</summary>
    /// <exception cref="TimeoutException">The viewer takes nothing.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> events, CancellationToken cancellationToken)
    {
        var body = context.Response.BodyWriter;
        await body.WriteAsync(events, cancellationToken).AsTask().WaitAsync(timeout, cancellationToken);
    }
}
