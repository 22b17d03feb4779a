using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Testing;

namespace Mesh.Core.Tests.Routing;

/// <summary>Random operations on a pool of profile mesh with late binding, and what must be true after each of them.</summary>
internal sealed class MeshRun
{
    private const int Numbers = 10;
    private static readonly string?[] ModelNames = [null, null, "a", "b"];
    private readonly ManualTimeProvider _time = new();
    private readonly Xoshiro256 _random;
    private readonly SortedDictionary<long, RouteRequest> _waiting = [];
    private readonly List<(LeaseId Lease, EndpointId Endpoint)> _held = [];
    private readonly HashSet<int> _configured = [.. Enumerable.Range(0, Numbers)];
    private PoolConfig _config;

    public MeshRun(ulong seed)
    {
        _random = new Xoshiro256(seed);
        _config = Config();
        State = new PoolState(_config, _time, seed);
        for (var i = 0; i < Numbers; i++) State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
    }

    public PoolState State { get; }

    public int SentAtOnce { get; private set; }

    public int SentAfterWaiting { get; private set; }

    public int MostEjected { get; private set; }

    /// <summary>The first rule that was broken.</summary>
    public string? Violation
    {
        get => field;
        private set => field ??= value;
    }

    public string Step()
    {
        State.Heartbeat(PoolFixture.Session);
        var what = _random.NextInt32(40) switch
        {
            < 16 => Route(),
            < 22 => FirstByte(),
            < 30 => Complete(),
            < 32 => Cancel(),
            < 34 => State.ApplyHealth(Id(), _random.NextInt32(4) == 0 ? EndpointHealth.Unhealthy : EndpointHealth.Healthy).ToString(),
            34 => State.ApplyModels(Id(), _random.NextInt32(3) switch { 0 => default, 1 => ["a"], _ => ["a", "b"] }).ToString(),
            35 => Reconfigure(),
            _ => Tick(),
        };
        return what + TakeDecided() + Judge();
    }

    private EndpointId Id() => PoolFixture.Id(_random.NextInt32(Numbers));

    private string Route()
    {
        var chain = new ulong[_random.NextInt32(12)];
        var family = (ulong)_random.NextInt32(6);
        for (var i = 0; i < chain.Length; i++) chain[i] = family * 1000 + (ulong)i + 1;
        var request = new RouteRequest
        {
            RequestId = "r",
            Pool = PoolFixture.PoolName,
            Session = PoolFixture.Session,
            FairnessId = "",
            Model = ModelNames[_random.NextInt32(ModelNames.Length)],
            Priority = _random.NextInt32(3) - 1,
            PromptTokens = _random.NextInt32(9000),
            MaxOutputTokens = 1 + _random.NextInt32(500),
            IsStreaming = _random.NextInt32(4) != 0,
            PrefixChain = chain,
            Subset = _random.NextInt32(8) == 0 ? [Id(), Id(), Id()] : default,
            Excluded = _random.NextInt32(8) == 0 ? [Id()] : default,
        };
        var decision = State.Route(in request);
        if (decision.Kind == RouteKind.Wait) _waiting.Add(decision.Ticket, request);
        if (decision.Kind == RouteKind.Send)
        {
            SentAtOnce++;
            Sent(in request, decision);
        }
        return decision.ToString();
    }

    private void Sent(in RouteRequest request, RouteDecision decision)
    {
        _held.Add((decision.Lease, decision.Endpoint));
        var chosen = State.Snapshot().Backends.SelectMany(b => b.Endpoints).Single(e => e.Id == decision.Endpoint);
        if (chosen.Health != EndpointHealth.Healthy) Violation = "chosen though not healthy";
        if (chosen.Draining) Violation = "chosen though draining";
        if (request.Model is not null && !chosen.Models.IsDefault && !chosen.Models.Contains(request.Model)) Violation = "chosen without the model";
        if (!request.Subset.IsDefault && !request.Subset.Contains(chosen.Id)) Violation = "chosen outside the subset";
        if (!request.Excluded.IsDefault && request.Excluded.Contains(chosen.Id)) Violation = "chosen though excluded";
    }

    private string TakeDecided()
    {
        var text = "";
        while (State.TryTakeDecided(out var ticket, out var decision))
        {
            if (!_waiting.Remove(ticket, out var request)) Violation = $"a decision on ticket {ticket}, for which nobody waits";
            if (decision.Kind == RouteKind.Wait) Violation = $"ticket {ticket} was told to wait again";
            if (decision.Kind == RouteKind.Send)
            {
                SentAfterWaiting++;
                Sent(in request, decision);
            }
            text += $" {ticket}:{decision}";
        }
        return text;
    }

    private string FirstByte()
    {
        if (_held.Count == 0) return "nothing held";
        var lease = _held[_random.NextInt32(_held.Count)].Lease;
        State.ReportFirstByte(lease);
        return $"first byte {lease}";
    }

    private string Complete()
    {
        if (_held.Count == 0) return "nothing held";
        var index = _random.NextInt32(_held.Count);
        var (lease, endpoint) = _held[index];
        _held.RemoveAt(index);
        // Some endpoints fail most of what they get.
        var bad = Enumerable.Range(0, 6).Any(i => PoolFixture.Id(i) == endpoint) && _random.NextInt32(10) < 9;
        var kind = bad ? OutcomeKind.ServerError : _random.NextInt32(6) == 0 ? (OutcomeKind)_random.NextInt32(8) : OutcomeKind.Success;
        if (!State.Complete(lease, new RequestOutcome(kind))) Violation = "a lease was lost";
        return $"end {lease}";
    }

    private string Cancel()
    {
        if (_waiting.Count == 0) return "nobody waits";
        var ticket = _waiting.Keys.ElementAt(_random.NextInt32(_waiting.Count));
        _waiting.Remove(ticket);
        if (!State.CancelWait(ticket)) Violation = $"ticket {ticket} waited no more, but had no decision";
        return $"cancel {ticket}";
    }

    private string Reconfigure()
    {
        var number = _random.NextInt32(Numbers);
        if (!_configured.Remove(number)) _configured.Add(number);
        _config = Config();
        State.Reconfigure(_config);
        return $"{_configured.Count} endpoints, {_config.FlowControl.MaxWaitingRequests} may wait";
    }

    private string Tick()
    {
        _time.Advance(TimeSpan.FromMilliseconds(_random.NextInt32(120)));
        var next = State.Tick();
        if (next < TimeSpan.Zero) Violation = "the next tick is in the past";
        return next.ToString() ?? "";
    }

    private string Judge()
    {
        var snapshot = State.Snapshot();
        var endpoints = snapshot.Backends.SelectMany(b => b.Endpoints).ToArray();
        if (snapshot.Leases != _held.Count || endpoints.Sum(e => e.InFlightRequests) != _held.Count) Violation = "the leases do not add up";
        foreach (var endpoint in endpoints)
        {
            if (endpoint.InFlightRequests != _held.Count(h => h.Endpoint == endpoint.Id)) Violation = "an endpoint's leases do not add up";
            if (!(endpoint.WaitingPromptMs >= 0 && endpoint.PredictedWaitMs >= 0)) Violation = "a predicted time is negative";
            if (endpoint.WaitingRequests == 0 && endpoint.WaitingPromptMs != 0) Violation = "work waits without a request";
            if (endpoint.WaitingRequests > 0 && (endpoint.Draining || endpoint.Health != EndpointHealth.Healthy)) Violation = "requests wait for an endpoint that takes none";
        }
        var waiting = snapshot.Queue.Sum(b => b.Requests);
        // No target is set, so whoever waits, waits for an endpoint.
        if (waiting != _waiting.Count || endpoints.Sum(e => e.WaitingRequests) != waiting) Violation = "the waiting requests do not add up";
        if (waiting > _config.FlowControl.MaxWaitingRequests) Violation = "more wait than may";
        foreach (var backend in snapshot.Backends)
        {
            if (backend.InFlightRequests != backend.Endpoints.Where(e => !e.Draining).Sum(e => e.InFlightRequests + e.WaitingRequests)) Violation = "a backend's load does not add up";
        }
        foreach (var backend in snapshot.Backends)
        {
            var named = backend.Endpoints.Where(e => !e.Draining).ToArray();
            var ejected = named.Count(e => e.EjectedUntil is not null);
            MostEjected = Math.Max(MostEjected, ejected);
            if (ejected * 2 > named.Length) Violation = $"{ejected} of {named.Length} are ejected";
            var healthy = named.Where(e => e.Health == EndpointHealth.Healthy).ToArray();
            if (healthy.Length > 0 && healthy.All(e => e.EjectedUntil is not null)) Violation = "every ready endpoint is ejected";
        }
        return $" {_held.Count} {waiting}";
    }

    private PoolConfig Config()
    {
        var config = PoolFixture.Config(_configured);
        return config with
        {
            Scheduling = new SchedulingConfig(),
            Timeout = TimeSpan.FromSeconds(3),
            FlowControl = new FlowControlSettings
            {
                MaxWaitingRequests = 5 + _random.NextInt32(60),
                Order = _random.NextInt32(2) == 0 ? QueueOrder.Fcfs : QueueOrder.Shortest,
            },
        };
    }
}
