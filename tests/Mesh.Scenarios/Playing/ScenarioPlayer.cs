using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Testing;

namespace Mesh.Scenarios;

/// <summary>Makes a host for a pool.</summary>
public delegate IScenarioHost ScenarioHostFactory(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options);

/// <summary>
/// Plays a scenario in virtual time: a queue of things to do, each at its time and in the order in which it was planned. Decisions that come
/// together are taken in the order of the requests' numbers, so that the trace does not depend on how a host hands them out.
/// </summary>
public sealed class ScenarioPlayer
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastTick = TimeSpan.FromMilliseconds(10);
    private readonly ManualTimeProvider _time = new();
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _plan = new();
    private readonly List<TraceEntry> _trace = [];
    private readonly List<(int Number, RouteDecision Decision)> _decided = [];
    private readonly Dictionary<int, Waiting> _waiting = [];
    private readonly HashSet<EndpointId> _lookedAfter = [];
    private readonly Scenario _scenario;
    private readonly ScenarioWorld _world;
    private readonly RequestDraw[] _draws;
    private readonly IScenarioHost _host;
    private TimeSpan _now;
    private TimeSpan _nextTick = TimeSpan.MaxValue;
    private long _order;
    private int _lastNumber;

    private ScenarioPlayer(Scenario scenario, ScenarioHostFactory factory)
    {
        _scenario = scenario;
        _world = new ScenarioWorld(scenario);
        _draws = [.. scenario.Arrivals.Select((_, i) => new RequestDraw(scenario, i))];
        _host = factory(_world.Config, _time, scenario.Seed, new PoolStateOptions { Locality = scenario.Locality });
    }

    public static ScenarioResult Play(Scenario scenario, ScenarioHostFactory? factory = null)
    {
        var player = new ScenarioPlayer(scenario, factory ?? PoolStateHost.Create);
        using (player._host) return player.Run();
    }

    private ScenarioResult Run()
    {
        // Two probes make an endpoint healthy: the pool is up when the first request comes.
        LookAfterEndpoints();
        foreach (var change in _scenario.Events) At(TimeSpan.FromSeconds(change.AtSeconds), () => Happen(change));
        for (var i = 0; i < _scenario.Arrivals.Length; i++) Begin(i);
        At(TimeSpan.Zero, Tick);

        var end = TimeSpan.FromSeconds(_scenario.DurationSeconds);
        while (_plan.TryDequeue(out var action, out var key) && key.At <= end)
        {
            _time.Advance(key.At - _now);
            _now = key.At;
            action();
            Settle();
        }

        return new ScenarioResult(_scenario, [.. _trace], _host.Snapshot());
    }

    private void At(TimeSpan at, Action action) => _plan.Enqueue(action, (at, _order++));

    // :: Endpoints: probes and scrapes, each endpoint in its own phase.
    private void LookAfterEndpoints()
    {
        foreach (var backend in _world.Backends)
        {
            for (var i = 0; i < backend.Endpoints; i++)
            {
                var id = ScenarioWorld.Endpoint(backend.Cluster, i);
                if (!_lookedAfter.Add(id)) continue;
                var (cluster, index) = (backend.Cluster, i);
                var phase = _lookedAfter.Count * 0.6180339887498949 % 1;
                for (var n = 0; n < 2; n++) Probe(id, cluster, index);
                if (!backend.Models.IsDefault) _host.ApplyModels(id, backend.Models);
                Every(_now + phase * TimeSpan.FromSeconds(_scenario.ProbeIntervalSeconds), _scenario.ProbeIntervalSeconds, () => Probe(id, cluster, index));
                Every(_now + phase * TimeSpan.FromSeconds(_scenario.ScrapeIntervalSeconds), _scenario.ScrapeIntervalSeconds, () => Scrape(id, cluster, index));
            }
        }
    }

    private void Every(TimeSpan first, double seconds, Action action) => At(first, () =>
    {
        action();
        Every(_now + TimeSpan.FromSeconds(seconds), seconds, action);
    });

    private void Probe(EndpointId id, string cluster, int index) =>
        _host.Apply(new ProbeResult(id, _time.GetTimestamp(), _world.IsUp(cluster, index)));

    private void Scrape(EndpointId id, string cluster, int index)
    {
        if (!_world.IsScraped(cluster, index)) return;
        var sample = _world.Read(id, _time.GetTimestamp());
        At(_now + TimeSpan.FromSeconds(_scenario.SampleAgeSeconds), () => _host.Apply(sample));
    }

    private void Happen(ScenarioEvent change)
    {
        _world.Change(change);
        if (!change.Reconfigures) return;
        _host.Reconfigure(_world.Config);
        LookAfterEndpoints();
    }

    // :: Requests.
    private void Begin(int stream)
    {
        var arrivals = _scenario.Arrivals[stream];
        var from = TimeSpan.FromSeconds(arrivals.FromSeconds);
        if (arrivals.Kind == ArrivalKind.Closed)
        {
            for (var i = 0; i < arrivals.Clients; i++) At(from, () => Arrive(stream));
            return;
        }
        At(from + _draws[stream].Gap(), Next);

        void Next()
        {
            if (_now >= UntilOf(stream)) return;
            Arrive(stream);
            At(_now + _draws[stream].Gap(), Next);
        }
    }

    private TimeSpan UntilOf(int stream) => TimeSpan.FromSeconds(_scenario.Arrivals[stream].UntilSeconds ?? _scenario.DurationSeconds);

    private void Arrive(int stream)
    {
        var arrivals = _scenario.Arrivals[stream];
        var number = ++_lastNumber;
        var service = _draws[stream].Service();
        var request = new RouteRequest
        {
            RequestId = $"r{number}",
            Pool = ScenarioWorld.Pool,
            Session = _host.Session,
            Model = arrivals.Model,
            Priority = arrivals.Priority,
            FairnessId = arrivals.FairnessId,
            PromptTokens = arrivals.PromptTokens,
            MaxOutputTokens = 100,
            BodyBytes = arrivals.BodyBytes,
            AffinityKey = arrivals.Sessions == 0 ? 0 : 1 + (ulong)(number % arrivals.Sessions),
        };
        Note(number, TraceKind.Arrive, "", DecisionReason.None, default, stream);
        if (_host.Route(number, in request) is { } decision)
        {
            Decide(number, decision, new Waiting(stream, service));
            return;
        }

        _waiting.Add(number, new Waiting(stream, service));
        Note(number, TraceKind.Wait, "", DecisionReason.Waiting, default, stream);
        TickBy(_now + LeastTick);
        if (arrivals.PatienceSeconds is { } patience) At(_now + TimeSpan.FromSeconds(patience), () => Leave(number));
    }

    private void Leave(int number)
    {
        if (!_waiting.Remove(number, out var waiting)) return;
        _host.Cancel(number);
        Note(number, TraceKind.Leave, "", DecisionReason.None, default, waiting.Stream);
        Again(waiting.Stream);
    }

    private void Settle()
    {
        _host.TakeDecided(_decided);
        while (_decided.Count > 0)
        {
            _decided.Sort(static (a, b) => a.Number.CompareTo(b.Number));
            foreach (var (number, decision) in _decided.ToArray())
            {
                _waiting.Remove(number, out var waiting);
                Decide(number, decision, waiting);
            }

            _decided.Clear();
            _host.TakeDecided(_decided);
        }
    }

    private void Decide(int number, RouteDecision decision, Waiting request)
    {
        if (decision.Kind == RouteKind.Refuse)
        {
            Note(number, TraceKind.Refuse, "", decision.Reason, decision.RetryAfter, request.Stream);
            // A client that has been told when to come back does.
            var pause = decision.RetryAfter > LeastTick ? decision.RetryAfter : LeastTick;
            if (_scenario.Arrivals[request.Stream].Kind == ArrivalKind.Closed) At(_now + pause, () => Again(request.Stream));
            return;
        }

        var (endpoint, lease) = (decision.Endpoint, decision.Lease);
        Note(number, TraceKind.Send, endpoint.Address, decision.Reason, default, request.Stream);
        _world.Run(endpoint, 1, _scenario.Arrivals[request.Stream].KvPerRequest);
        At(_now + request.Service, () => End(number, endpoint, lease, request.Stream));
    }

    private void End(int number, EndpointId endpoint, LeaseId lease, int stream)
    {
        Note(number, TraceKind.End, endpoint.Address, DecisionReason.None, default, stream);
        _world.Run(endpoint, -1, -_scenario.Arrivals[stream].KvPerRequest);
        _host.Complete(lease, new RequestOutcome(OutcomeKind.Success));
        Settle();
        Again(stream);
    }

    private void Again(int stream)
    {
        if (_scenario.Arrivals[stream].Kind == ArrivalKind.Closed && _now < UntilOf(stream)) Arrive(stream);
    }

    // :: Time.
    private void TickBy(TimeSpan at)
    {
        if (at >= _nextTick) return;
        _nextTick = at;
        At(at, () =>
        {
            // Another one may have come sooner and planned the next.
            if (_nextTick == at) Tick();
        });
    }

    private void Tick()
    {
        var next = _host.Tick() is { } wanted && wanted < Heartbeat ? wanted : Heartbeat;
        _nextTick = TimeSpan.MaxValue;
        TickBy(_now + (next < LeastTick ? LeastTick : next));
    }

    private void Note(int number, TraceKind kind, string endpoint, DecisionReason reason, TimeSpan retryAfter, int stream) =>
        _trace.Add(new TraceEntry(_now, number, kind, endpoint, reason, retryAfter, stream));

    private readonly record struct Waiting(int Stream, TimeSpan Service);
}
