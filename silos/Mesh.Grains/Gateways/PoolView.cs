using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Grains.Contracts;
using Mesh.Grains.Pools;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Gateways;

/// <summary>What a gateway knows of a pool: the latest state that the pool has pushed, for pages and metrics, and for choosing without it. Thread-safe.</summary>
internal sealed class PoolView : IPoolWatcher
{
    private readonly LinkServices _services;
    private volatile Pushed? _latest;
    private volatile PoolSnapshot _unknown;
    private IPoolWatcher? _reference;

    public PoolView(PoolConfig config, LinkServices services)
    {
        _services = services;
        _unknown = Unknown(config);
    }

    /// <summary>Latest state; null before the first.</summary>
    public PoolSnapshot? Latest => _latest?.Snapshot;

    /// <summary>Latest state, or one of which nothing is known but the configuration.</summary>
    public PoolSnapshot Snapshot => Latest ?? _unknown;

    /// <summary>By which the pool can reach this; null while the gateway is not connected to any silo.</summary>
    public IPoolWatcher? Reference
    {
        get
        {
            if (_reference is not null) return _reference;
            try
            {
                return _reference = _services.Grains.CreateObjectReference<IPoolWatcher>(this);
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                return null;
            }
        }
    }

    public void Reconfigure(PoolConfig config) => _unknown = Unknown(config);

    public void Close()
    {
        if (_reference is not { } reference) return;
        try
        {
            _services.Grains.DeleteObjectReference<IPoolWatcher>(reference);
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            // The connection is gone, and the reference with it.
        }
    }

    public ValueTask Changed(long epoch, byte[] snapshot)
    {
        try
        {
            // Two activations may push for a moment: the newer one is right.
            if (_latest is { } latest && latest.Epoch > epoch) return default;
            _latest = new Pushed(epoch, SnapshotClock.FromWire(SnapshotJson.ReadPool(snapshot), _services.Time));
        }
        catch (JsonException)
        {
            // From a version that writes what this one cannot read: the last one stays.
        }
        return default;
    }

    /// <summary>What was last known of each endpoint, for a pool that begins anew.</summary>
    public EndpointNews[] Hints() => Latest is { } snapshot ? EndpointHints.Of(snapshot, _services.Time, _services.Options.Pool.SampleMaxAge) : [];

    private PoolSnapshot Unknown(PoolConfig config) => new PoolState(config, _services.Time, 0, _services.Options.Pool).Snapshot();

    private sealed record Pushed(long Epoch, PoolSnapshot Snapshot);
}
