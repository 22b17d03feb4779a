using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>A subscriber that runs until it is disposed of.</summary>
internal sealed class RunningSubscriber : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly KvEventSubscriber _subscriber;
    private readonly Task _running;

    public RunningSubscriber(KvEventSource source, IKvEventSink sink, KvEventSubscriberOptions? options = null, ulong seed = 1)
    {
        _subscriber = new KvEventSubscriber(source, sink, options ?? new KvEventSubscriberOptions(), TimeProvider.System, seed, NullLogger.Instance);
        _running = _subscriber.RunAsync(_stop.Token);
    }

    public KvSubscriptionStatus Status => _subscriber.Status;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(20));
        _stop.Dispose();
    }
}
