using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Monitoring;

namespace Mesh.Engine.KvEvents.Feeding;

/// <summary>The subscriptions of one pool: one for each endpoint and rank, wherever its events are followed. Calls are serialized by the engine.</summary>
internal sealed class PoolFeeds(ICacheFeedTarget target, ulong seed, MonitorServices services)
{
    private FrozenDictionary<KvEventSource, FeedRunner> _runners = FrozenDictionary<KvEventSource, FeedRunner>.Empty;
    private ulong _started;

    /// <summary>Subscriptions by where their events come from.</summary>
    public FrozenDictionary<KvEventSource, FeedRunner> Runners => _runners;

    /// <summary>Starts what the configuration adds and stops what it takes away; returns the ends of those.</summary>
    public IEnumerable<Task> Reconfigure(PoolConfig pool)
    {
        var after = new Dictionary<KvEventSource, FeedRunner>();
        foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints).Select(e => e.Id).Distinct().Order())
        {
            foreach (var source in Sources(endpoint, pool.KvEvents))
            {
                if (after.ContainsKey(source)) continue;
                if (!_runners.TryGetValue(source, out var runner))
                {
                    runner = new FeedRunner(target, pool.Id, endpoint, source, seed + ++_started, services);
                    runner.Start();
                }
                after.Add(source, runner);
            }
        }

        var before = _runners;
        _runners = after.ToFrozenDictionary();
        return Stop(before.Where(r => !after.ContainsKey(r.Key)).Select(r => r.Value));
    }

    /// <summary>Stops everything; returns the ends.</summary>
    public IEnumerable<Task> Stop()
    {
        var before = _runners;
        _runners = FrozenDictionary<KvEventSource, FeedRunner>.Empty;
        return Stop(before.Values);
    }

    /// <summary>Where an endpoint's ranks publish; none where nothing is followed, or where a port would be above 65535.</summary>
    internal static IEnumerable<KvEventSource> Sources(EndpointId endpoint, KvEventsConfig config)
    {
        if (!config.Enabled) yield break;
        var colon = endpoint.Address.LastIndexOf(':');
        var host = endpoint.Address[..colon].Trim('[', ']');
        for (var rank = 0; rank < config.Ranks; rank++)
        {
            var port = config.Port + rank;
            var replay = config.ReplayPort + rank;
            if (port <= 65535 && replay is null or <= 65535) yield return new KvEventSource(host, port, replay, rank, config.Topic);
        }
    }

    private static List<Task> Stop(IEnumerable<FeedRunner> runners)
    {
        var ends = new List<Task>();
        foreach (var runner in runners)
        {
            runner.Stop();
            ends.Add(runner.Completion);
        }
        return ends;
    }
}
