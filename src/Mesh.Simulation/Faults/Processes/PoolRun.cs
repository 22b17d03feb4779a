using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Judging;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>One life of a region's engine: the pool's core as a host runs it, from its start to its crash.</summary>
internal sealed class PoolRun
{
    // As the embedded engine: no timer is finer, and it looks at the time at least at every heartbeat.
    private const double LeastTickMs = 1;
    private const double MostTickMs = 1000;

    private readonly FaultWorld _world;
    private readonly JudgedPool _pool;
    private readonly int _region;
    private readonly SortedDictionary<EndpointId, EndpointWatch> _watches = [];
    private readonly Dictionary<long, (PoolConnection Caller, long Call)> _waiting = [];
    private readonly Dictionary<(GatewaySession Session, long Call), long> _tickets = [];
    private int _tick;
    private bool _tickIsAsked;

    public PoolRun(FaultWorld world, int region, int pool, long epoch, PoolConfig config)
    {
        _world = world;
        _region = region;
        Config = config;
        var plan = world.Plan;
        var options = new PoolStateOptions { Epoch = epoch, SessionTimeout = plan.SessionTimeout, MaxLeases = plan.MaxLeases, MaxPrefixBlocks = 4096, Locality = world.LocalityOf(region) };
        _pool = new JudgedPool(world.MakeCore(config, world.Time.Clock, plan.Seed + (ulong)epoch + ((ulong)pool << 32), options), config, options, world.Time.Clock, world.Journal, world.RecountEvery);
    }

    /// <summary>False once it has crashed.</summary>
    public bool IsAlive { get; private set; } = true;

    public PoolConfig Config { get; private set; }

    public int Leases => _pool.Leases;

    public int Waits => _pool.Waits;

    public void Start()
    {
        Watch();
        Tick();
    }

    public void Crash()
    {
        IsAlive = false;
        foreach (var watch in _watches.Values) watch.Stop();
    }

    public void Reconfigure(PoolConfig config)
    {
        Config = config;
        Watch();
        _pool.Reconfigure(config);
        Finish();
    }

    public void Route(PoolConnection caller, long call, RouteRequest request)
    {
        var decision = _pool.Route(in request);
        if (decision.Kind == RouteKind.Wait)
        {
            _waiting.Add(decision.Ticket, (caller, call));
            _tickets.Add((caller.Session, call), decision.Ticket);
        }
        else
        {
            caller.Deliver(call, decision);
        }

        Finish();
    }

    /// <summary>The caller has left; a decision that is on its way reaches its gateway all the same.</summary>
    public void Cancel(GatewaySession session, long call)
    {
        if (!_tickets.Remove((session, call), out var ticket) || !_waiting.Remove(ticket)) return;
        _pool.CancelWait(ticket);
        Finish();
    }

    public void FirstByte(LeaseId lease)
    {
        _pool.ReportFirstByte(lease);
        Finish();
    }

    public void Complete(LeaseId lease, EndpointId endpoint, RequestOutcome outcome)
    {
        var ended = _pool.Complete(lease, in outcome);
        Finish();
        if (ended && outcome.Kind is OutcomeKind.ConnectFailure or OutcomeKind.StreamBroken && _watches.TryGetValue(endpoint, out var watch)) watch.Suspect();
    }

    public bool Heartbeat(GatewaySession session, HeldLease[] held)
    {
        var known = _pool.Heartbeat(session, held);
        Finish();
        return known;
    }

    public void Announce(GatewaySession session, HeldLease[] held)
    {
        _pool.Announce(session, held);
        Finish();
    }

    public void Probed(ProbeResult probe)
    {
        _pool.Apply(probe);
        Finish();
    }

    public void Sampled(EndpointSample sample)
    {
        _pool.Apply(sample);
        Finish();
    }

    public void Listed(EndpointId endpoint, ImmutableArray<string> models)
    {
        _pool.ApplyModels(endpoint, models);
        Finish();
    }

    public void CountAnew() => _pool.CountAnew();

    private void Watch()
    {
        var configured = Config.Backends.SelectMany(b => b.Endpoints).Select(e => e.Id).ToHashSet();
        foreach (var (id, watch) in _watches.ToArray())
        {
            if (configured.Contains(id)) continue;
            watch.Stop();
            _watches.Remove(id);
        }

        foreach (var id in configured.Order())
        {
            if (_watches.ContainsKey(id)) continue;
            var watch = new EndpointWatch(_world, this, _world.EndpointOf(id), _region);
            _watches.Add(id, watch);
            watch.Start(_world.Random.NextDouble());
        }
    }

    private void Tick()
    {
        if (!IsAlive) return;
        _tickIsAsked = false;
        var next = _pool.Tick();
        Finish();
        if (!_tickIsAsked) TickAfter(Math.Clamp(next?.TotalMilliseconds ?? MostTickMs, LeastTickMs, MostTickMs));
    }

    private void TickAfter(double ms)
    {
        var tick = ++_tick;
        _world.Time.After(ms, () =>
        {
            if (tick == _tick) Tick();
        });
    }

    // What the core has decided goes to those who wait for it.
    private void Finish()
    {
        while (_pool.TryTakeDecided(out var ticket, out var decision))
        {
            if (!_waiting.Remove(ticket, out var waiting)) continue;
            _tickets.Remove((waiting.Caller.Session, waiting.Call));
            waiting.Caller.Deliver(waiting.Call, decision);
        }

        if (_tickIsAsked || !_pool.NeedsTickSooner) return;
        _tickIsAsked = true;
        TickAfter(LeastTickMs);
    }
}
