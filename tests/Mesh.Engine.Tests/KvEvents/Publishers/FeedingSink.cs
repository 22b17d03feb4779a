using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>Feeds one endpoint of a pool, as the engine does, and counts the calls.</summary>
internal sealed class FeedingSink(FeedingSink.Pool pool, int endpoint) : IKvEventSink
{
    private readonly PoolFeed _feed = pool.Feed(endpoint);

    public long Calls { get; private set; }

    public void OnBlockStored(in KvBlockStored stored)
    {
        Calls++;
        _feed.OnBlockStored(in stored);
    }

    public void OnBlockRemoved(in KvBlockRemoved removed)
    {
        Calls++;
        _feed.OnBlockRemoved(in removed);
    }

    public void OnAllCleared()
    {
        Calls++;
        _feed.OnAllCleared();
    }

    public void OnReset(KvResetReason reason)
    {
        Calls++;
        _feed.OnReset(reason);
    }

    public void OnStateChanged(KvKnowledge knowledge, bool isComplete) => _feed.OnStateChanged(knowledge, isComplete);

    /// <summary>A pool behind its lock.</summary>
    internal sealed class Pool
    {
        private static readonly PoolId Id = new("default", "pool");
        private readonly EngineMetrics _metrics = new();
        private readonly PoolHost _host;

        public Pool(int endpoints) =>
            _host = new PoolHost(
                new PoolState(
                    new PoolConfig
                    {
                        Id = Id,
                        Backends =
                        [
                            new BackendConfig
                            {
                                Id = new BackendId("cluster", "zone", 8000),
                                Region = "region",
                                Endpoints = [.. Enumerable.Range(0, endpoints).Select(i => new EndpointConfig { Id = EndpointOf(i), PodName = "pod" }).OrderBy(e => e.Id)],
                            },
                        ],
                    },
                    TimeProvider.System, 1),
                () => { });

        /// <summary>Blocks known.</summary>
        public int Blocks => _host.Snapshot().CacheEvents!.Blocks;

        public PoolFeed Feed(int endpoint) => new(_host.Cache, Id, EndpointOf(endpoint), _host.Cache.AddFeed(EndpointOf(endpoint))!.Value, _metrics, NullLogger.Instance);

        private static EndpointId EndpointOf(int number) => new(string.Create(CultureInfo.InvariantCulture, $"10.0.0.{number}:8000"));
    }
}
