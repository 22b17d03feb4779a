using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Monitoring;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.KvEvents.Feeding;

/// <summary>Follows the events of one rank of one endpoint until it is stopped; whatever breaks, it begins again.</summary>
internal sealed class FeedRunner(ICacheFeedTarget target, PoolId pool, EndpointId endpoint, KvEventSource source, ulong seed, MonitorServices services)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private volatile KvEventSubscriber? _subscriber;

    /// <summary>The subscription now; null between two of them.</summary>
    public KvSubscriptionStatus? Status => _subscriber?.Status;

    /// <summary>Ends soon after <see cref="Stop"/>.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() => Completion = RunAsync(_stop.Token);

    /// <summary>Ends it. Called once.</summary>
    public void Stop() => _stop.Cancel();

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (!cancellationToken.IsCancellationRequested)
        {
            var feed = target.AddFeed(endpoint);
            if (feed is { } number)
            {
                try
                {
                    var sink = new PoolFeed(target, pool, endpoint, number, services.Metrics, services.Logger);
                    _subscriber = new KvEventSubscriber(source, sink, new KvEventSubscriberOptions(), services.Time, seed, services.Logger);
                    await _subscriber.RunAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    EngineLog.LoopFailed(services.Logger, e, endpoint, pool);
                }
                finally
                {
                    _subscriber = null;
                    target.RemoveFeed(number);
                }
            }

            await ((Task)Task.Delay(Pause, services.Time, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stop.Dispose();
    }
}
