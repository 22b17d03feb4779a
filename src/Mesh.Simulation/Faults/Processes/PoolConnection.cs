using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>A gateway's connection to one pool of its region's engine: its calls, the leases that it holds there, and its heartbeats.</summary>
internal sealed class PoolConnection(FaultWorld world, RegionProcess region, GatewayRun gateway, GatewayForwarding forwarding, int number)
{
    private const double AskAgainMs = 100;
    private readonly Link _toPool = new(world.Time, world.Network, region.Number, region.Number);
    private readonly Link _toGateway = new(world.Time, world.Network, region.Number, region.Number);
    private readonly Dictionary<long, ClientRequest> _calls = [];
    private readonly SortedDictionary<long, HeldLease> _held = [];
    private readonly Dictionary<LeaseId, long> _heldNumbers = [];
    private long _lastCall;
    private long _lastHeld;

    public GatewaySession Session => gateway.Session;

    /// <summary>Leases held.</summary>
    public int HeldCount => _held.Count;

    private PoolRun? Pool => region.Pools[number];

    /// <summary>Nothing passes.</summary>
    public void Cut(double untilMs) => _toPool.CutUntilMs = _toGateway.CutUntilMs = Math.Max(_toPool.CutUntilMs, untilMs);

    /// <summary>Asks the pool for a place.</summary>
    public void Ask(ClientRequest request)
    {
        request.Call = ++_lastCall;
        var call = request.Call;
        if (Pool is not { } pool)
        {
            // The engine is away: the client waits as long as its request may take.
            AskAgain(request, call);
            return;
        }

        _calls.Add(call, request);
        var asked = new RouteRequest
        {
            RequestId = "",
            Pool = FaultFleet.Pool(number),
            Session = Session,
            Model = request.Model,
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
        if (!_calls.Remove(call) || Pool is not { } pool) return;
        ToPool(pool, p => p.Cancel(Session, call));
    }

    /// <summary>The engine's answer to a call sets out.</summary>
    public void Deliver(long call, RouteDecision decision)
    {
        var pool = Pool;
        _toGateway.Send(() =>
        {
            // A connection to an engine that died brings nothing any more.
            if (!gateway.IsAlive || pool is null || !pool.IsAlive) return;
            if (_calls.Remove(call, out var request))
            {
                request.Call = 0;
                if (decision.Kind == RouteKind.Send) Hold(decision.Lease, new HeldLease(decision.Lease, decision.Endpoint, request.PromptTokens, OutputOf(request), false));
                forwarding.OnDecided(request, decision);
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
        if (Pool is { } pool) ToPool(pool, p => p.FirstByte(lease), mayDouble: true);
    }

    /// <summary>Gives a lease back, once.</summary>
    public void Complete(LeaseId lease, RequestOutcome outcome)
    {
        if (!_heldNumbers.Remove(lease, out var number))
        {
            world.Journal.Break($"{Session} gives lease {lease} back, which it does not hold");
            return;
        }

        var endpoint = _held[number].Endpoint;
        _held.Remove(number);
        if (Pool is { } pool) ToPool(pool, p => p.Complete(lease, endpoint, outcome), mayDouble: true);
    }

    /// <summary>The engine has died: calls under way fail, and are made anew.</summary>
    public void OnPoolLost()
    {
        if (!gateway.IsAlive) return;
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
        else world.Journal.Break($"{Session} was given lease {lease} twice");
    }

    private void AskAgain(ClientRequest request, long call) => world.Time.After(AskAgainMs, () =>
    {
        if (gateway.IsAlive && request.End == RequestEnd.None && request.Call == call) Ask(request);
    });

    /// <summary>Says that the gateway lives, again and again.</summary>
    public void Beat()
    {
        if (!gateway.IsAlive) return;
        world.Time.After(world.Plan.SessionTimeout.TotalMilliseconds / 4, Beat);
        if (Pool is not { } pool) return;
        var held = _held.Values.ToArray();
        ToPool(pool, p =>
        {
            if (p.Heartbeat(Session, held)) return;
            _toGateway.Send(() =>
            {
                if (!gateway.IsAlive || !p.IsAlive) return;
                var now = _held.Values.ToArray();
                region.Note($"{Session} announces {now.Length} leases");
                ToPool(p, q => q.Announce(Session, now), mayDouble: true);
            });
        });
    }

    // A notice may arrive twice: whoever does not know whether it arrived sends it again.
    private void ToPool(PoolRun pool, Action<PoolRun> call, bool mayDouble = false)
    {
        var twice = mayDouble && world.Random.NextDouble() < world.Plan.DuplicateShare;
        for (var i = twice ? 2 : 1; i > 0; i--)
        {
            _toPool.Send(() =>
            {
                if (pool.IsAlive) call(pool);
            });
        }
    }
}
