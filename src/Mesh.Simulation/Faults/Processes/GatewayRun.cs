using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>
/// One life of a gateway: its session, its open requests and its connection to the region's engine. What it does with a request is
/// <see cref="GatewayForwarding"/>.
/// </summary>
internal sealed class GatewayRun
{
    private const double AskAgainMs = 100;
    private readonly FaultWorld _world;
    private readonly RegionProcess _region;
    private readonly Link _toPool;
    private readonly Link _toGateway;
    private readonly Dictionary<long, ClientRequest> _calls = [];
    private readonly SortedDictionary<long, HeldLease> _held = [];
    private readonly Dictionary<LeaseId, long> _heldNumbers = [];
    private readonly GatewayForwarding _forwarding;
    private long _lastCall;
    private long _lastHeld;

    public GatewayRun(FaultWorld world, RegionProcess region, int number, long epoch)
    {
        _world = world;
        _region = region;
        Number = number;
        Session = new GatewaySession($"gateway-{number}", epoch);
        _toPool = new Link(world.Time, world.Network, region.Number, region.Number);
        _toGateway = new Link(world.Time, world.Network, region.Number, region.Number);
        _forwarding = new GatewayForwarding(world, region, this);
    }

    public int Number { get; }

    public GatewaySession Session { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>Requests that have not ended, in order of their arrival.</summary>
    public List<ClientRequest> Open { get; } = [];

    /// <summary>Leases held.</summary>
    public int HeldCount => _held.Count;

    public void Start() => Beat();

    /// <summary>The process dies: connections close, messages that have left arrive.</summary>
    public void Crash()
    {
        IsAlive = false;
        foreach (var request in Open.ToArray()) _forwarding.Lose(request);
        _region.Note($"{Session} dies with {_held.Count} leases");
    }

    /// <summary>Nothing passes between it and the engine.</summary>
    public void CutFromPool(double untilMs) => _toPool.CutUntilMs = _toGateway.CutUntilMs = Math.Max(_toPool.CutUntilMs, untilMs);

    public void Begin(ClientRequest request)
    {
        Open.Add(request);
        _forwarding.Begin(request);
    }

    public void ClientLeaves(ClientRequest request) => _forwarding.ClientLeaves(request);

    /// <summary>The gateway's own configuration has changed.</summary>
    public void OnReconfigured() => _forwarding.OnReconfigured();

    public void OnFirstByte(Attempt attempt) => _forwarding.OnFirstByte(attempt);

    public void OnLastByte(Attempt attempt, int cachedTokens, int outputTokens) => _forwarding.OnLastByte(attempt, cachedTokens, outputTokens);

    public void OnReset(Attempt attempt) => _forwarding.OnReset(attempt);

    public void OnStatus(Attempt attempt, int status) => _forwarding.OnStatus(attempt, status);

    /// <summary>Asks the engine for a place.</summary>
    public void Ask(ClientRequest request)
    {
        request.Call = ++_lastCall;
        var call = request.Call;
        if (_region.Pool is not { } pool)
        {
            // The engine is away: the client waits as long as its request may take.
            AskAgain(request, call);
            return;
        }

        _calls.Add(call, request);
        var asked = new RouteRequest
        {
            RequestId = "",
            Pool = FaultFleet.Pool,
            Session = Session,
            Priority = request.Priority,
            FairnessId = request.Flow,
            PromptTokens = request.PromptTokens,
            MaxOutputTokens = request.MaxOutputTokens,
            IsStreaming = request.IsStreaming,
            PrefixChain = request.Blocks,
            BodyBytes = request.PromptTokens * 4,
            AffinityKey = request.AffinityKey,
            Excluded = request.Excluded,
        };
        ToPool(pool, p => p.Route(this, call, asked));
    }

    /// <summary>Gives up asking.</summary>
    public void StopAsking(ClientRequest request)
    {
        var call = request.Call;
        request.Call = 0;
        if (!_calls.Remove(call) || _region.Pool is not { } pool) return;
        ToPool(pool, p => p.Cancel(Session, call));
    }

    /// <summary>The engine's answer to a call sets out.</summary>
    public void Deliver(long call, RouteDecision decision)
    {
        var pool = _region.Pool;
        _toGateway.Send(() =>
        {
            // A connection to an engine that died brings nothing any more.
            if (!IsAlive || pool is null || !pool.IsAlive) return;
            if (_calls.Remove(call, out var request))
            {
                request.Call = 0;
                if (decision.Kind == RouteKind.Send) Hold(decision.Lease, new HeldLease(decision.Lease, decision.Endpoint, request.PromptTokens, OutputOf(request), false));
                _forwarding.OnDecided(request, decision);
            }
            else if (decision.Kind == RouteKind.Send)
            {
                // Its client left while the decision was on its way.
                Hold(decision.Lease, new HeldLease(decision.Lease, decision.Endpoint, 0, 0, false));
                Complete(decision.Lease, new RequestOutcome(OutcomeKind.ClientGone));
            }
        });
    }

    /// <summary>Tells the engine that an answer has begun.</summary>
    public void ReportFirstByte(LeaseId lease)
    {
        var number = _heldNumbers[lease];
        _held[number] = _held[number] with { FirstByteSeen = true };
        if (_region.Pool is { } pool) ToPool(pool, p => p.FirstByte(lease), mayDouble: true);
    }

    /// <summary>Gives a lease back, once.</summary>
    public void Complete(LeaseId lease, RequestOutcome outcome)
    {
        if (!_heldNumbers.Remove(lease, out var number))
        {
            _world.Journal.Break($"{Session} gives lease {lease} back, which it does not hold");
            return;
        }

        var endpoint = _held[number].Endpoint;
        _held.Remove(number);
        if (_region.Pool is { } pool) ToPool(pool, p => p.Complete(lease, endpoint, outcome), mayDouble: true);
    }

    /// <summary>The engine has died: calls under way fail, and are made anew.</summary>
    public void OnPoolLost()
    {
        if (!IsAlive) return;
        foreach (var (call, request) in _calls.OrderBy(c => c.Key).ToArray())
        {
            _calls.Remove(call);
            AskAgain(request, call);
        }
    }

    private static int OutputOf(ClientRequest request) => request.MaxOutputTokens > 0 ? request.MaxOutputTokens : 256;

    private void Hold(LeaseId lease, HeldLease held)
    {
        if (_heldNumbers.TryAdd(lease, ++_lastHeld)) _held.Add(_lastHeld, held);
        else _world.Journal.Break($"{Session} was given lease {lease} twice");
    }

    private void AskAgain(ClientRequest request, long call) => _world.Time.After(AskAgainMs, () =>
    {
        if (IsAlive && request.End == RequestEnd.None && request.Call == call) Ask(request);
    });

    private void Beat()
    {
        if (!IsAlive) return;
        _world.Time.After(_world.Plan.SessionTimeout.TotalMilliseconds / 4, Beat);
        if (_region.Pool is not { } pool) return;
        var held = _held.Values.ToArray();
        ToPool(pool, p =>
        {
            if (p.Heartbeat(Session, held)) return;
            _toGateway.Send(() =>
            {
                if (!IsAlive || !p.IsAlive) return;
                var now = _held.Values.ToArray();
                _region.Note($"{Session} announces {now.Length} leases");
                ToPool(p, q => q.Announce(Session, now), mayDouble: true);
            });
        });
    }

    // A notice may arrive twice: whoever does not know whether it arrived sends it again.
    private void ToPool(PoolRun pool, Action<PoolRun> call, bool mayDouble = false)
    {
        var twice = mayDouble && _world.Random.NextDouble() < _world.Plan.DuplicateShare;
        for (var i = twice ? 2 : 1; i > 0; i--)
        {
            _toPool.Send(() =>
            {
                if (pool.IsAlive) call(pool);
            });
        }
    }
}
