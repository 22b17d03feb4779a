using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Pools;

namespace Mesh.Grains.Gateways;

/// <summary>
/// A gateway's way to the grain of one pool, or of one shard of it: what it has asked and has no answer to, what it holds, and what the pool has not been told. A pool that
/// begins anew, on whatever silo, has another epoch: it is told everything in one message, then the calls go on. Thread-safe.
/// </summary>
internal sealed partial class PoolLink
{
    private static readonly TimeSpan LeastPoll = TimeSpan.FromMilliseconds(20);
    private const int MaxHeartbeats = 16;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Ask> _open = [];
    private readonly Dictionary<LeaseId, Holding> _held = [];
    private readonly PoolId _id;
    private readonly LinkServices _services;
    private readonly IPoolGrain _grain;
    private readonly PoolOutbox _outbox = new();
    private readonly PoolView _view;
    private PoolConfig _config;
    private StandInPool? _standIn;
    private long _lastNumber;
    private long _settled;
    private long _epoch;
    private long _sequence;
    private int _key;
    private int _heartbeats;
    private bool _isAnnounced;
    private bool _wantsHints;
    private bool _isSending;
    private bool _isClosed;
    private bool _isLost;
    private long _lastContact;

    /// <summary>Starts without having asked anything.</summary>
    /// <param name="config">The pool, or the shard's part of it.</param>
    /// <param name="services">What the links of a gateway share.</param>
    /// <param name="pool">The links to all shards of the pool.</param>
    /// <param name="shard">Number of the shard.</param>
    /// <param name="map">Map by which it has what is held here.</param>
    public PoolLink(PoolConfig config, LinkServices services, PoolShards pool, int shard, ShardMap map)
    {
        _shards = pool;
        _map = map;
        Shard = shard;
        _id = config.Id;
        _config = config;
        _services = services;
        // By its own id: a client that has not met a silo yet could not look the type up.
        _grain = services.Grains.GetGrain<IPoolGrain>(PoolKey.GrainIdOf(config.Id, shard));
        _view = new PoolView(config, services);
        _lastContact = services.Time.GetTimestamp();
        // In real time whatever the clock of decisions: it is the network that is spared.
        _feedbackTimer = TimeProvider.System.CreateTimer(static me => ((PoolLink)me!).OnFeedbackTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _settled = 1;
        _patience = services.Options.SendTimeout;
    }

    /// <summary>What is known of the pool.</summary>
    public PoolView View => _view;

    /// <summary>Requests without an answer.</summary>
    public int OpenCalls
    {
        get
        {
            lock (_gate) return _open.Count;
        }
    }

    /// <summary>Leases held.</summary>
    public int HeldLeases
    {
        get
        {
            lock (_gate) return _held.Count;
        }
    }

    /// <summary>True while the pool knows what is held here.</summary>
    public bool IsAnnounced
    {
        get
        {
            lock (_gate) return _isAnnounced;
        }
    }

    /// <summary>True while the gateway chooses by itself.</summary>
    public bool IsOnItsOwn => _standIn is not null;

    /// <summary>What the link waits for, in one line for those who look for a request that has had no answer.</summary>
    public string Describe()
    {
        lock (_gate)
        {
            var asks = _open.Values.OrderBy(a => a.Number).Take(8).Select(a =>
                $"{a.Number} ({a.Request.RequestId}, attempt {a.Attempt}, asked {_services.Time.GetElapsedTime(a.AskedAt).TotalMilliseconds:F0} ms ago{(a.WasAsked ? "" : ", never sent")}{(a.IsFresh ? ", fresh" : "")}{(a.IsFlying ? ", flying" : "")}{(a.IsWithStandIn ? ", stand-in" : "")})");
            return $"{_id}#{Shard}: epoch {_epoch}, key {_key}, {(_isAnnounced ? "announced" : "not announced")}{(_isSending ? ", announcing" : "")}{(_isLost ? ", lost" : "")}{(_standIn is null ? "" : ", on its own")}, "
                + $"heard {_services.Time.GetElapsedTime(Volatile.Read(ref _lastContact)).TotalMilliseconds:F0} ms ago, {_held.Count} held, {_flights.Count} messages under way, {_open.Count} open: {string.Join("; ", asks)}";
        }
    }

    /// <summary>Another configuration of the same pool.</summary>
    public void Reconfigure(PoolConfig config)
    {
        lock (_gate)
        {
            _config = config;
            _standIn?.Reconfigure(config);
        }
        _view.Reconfigure(config);
    }

    /// <summary>Asks for a place. What comes back is decided, or moved to another shard, in its own time.</summary>
    public Ask Route(in RouteRequest request, CancellationToken cancellationToken)
    {
        Ask ask;
        StandInPool? standIn;
        bool starts, isAlone;
        lock (_gate)
        {
            if (_isRetired) return Ask.Moved(in request);
            if (_isClosed) return Ask.Decided(in request, RouteDecision.Refuse(DecisionReason.UnknownPool));
            if (_isLost) return Ask.Decided(in request, Unreachable);
            if (_open.Count >= _services.Options.MaxOpenCalls) return Ask.Decided(in request, RouteDecision.Refuse(DecisionReason.TooManyLeases, TimeSpan.FromSeconds(1)));
            var call = RouteCall.From(in request, ++_lastNumber);
            ask = new Ask(call, in request, _services.Time.GetTimestamp());
            _open.Add(ask.Number, ask);
            standIn = _standIn;
            // Until the pool has been told what this gateway holds, nobody is asked for; then all are.
            if (standIn is null && _isAnnounced) Freshen(ask);
            (starts, isAlone) = (standIn is null && MayStart(isUrgent: true), _flights.Count == 0 && _starting == 1);
        }

        if (cancellationToken.CanBeCanceled)
        {
            ask.Leaving = cancellationToken.UnsafeRegister(
                static (me, token) =>
                {
                    var (link, ask) = ((PoolLink, Ask))me!;
                    link.Leave(ask, token);
                },
                (this, ask));
        }

        if (standIn is not null) _ = PlaceAsync(ask, standIn);
        else if (starts) Start(isAlone);
        return ask;
    }

    /// <summary>An answer has begun; false when its lease is not held here.</summary>
    public bool ReportFirstByte(LeaseId lease)
    {
        lock (_gate)
        {
            ref var held = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(_held, lease);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref held)) return false;
            if (held.Lease.FirstByteSeen) return true;
            held = held with { Lease = held.Lease with { FirstByteSeen = true }, FirstByteAt = _services.Time.GetTimestamp() };
            _outbox.Add(new FeedbackItem { Kind = FeedbackKind.FirstByte, Lease = lease });
        }

        _standIn?.ReportFirstByte(lease);
        Send();
        return true;
    }

    /// <summary>A request has ended; false when its lease is not held here.</summary>
    public bool Complete(LeaseId lease, in RequestOutcome outcome)
    {
        lock (_gate)
        {
            if (!_held.Remove(lease)) return false;

            // What the gateway placed by itself and nobody has been told of, nobody has to be told the end of.
            if (_standIn is null || _isSending || !StandInPool.Made(lease))
            {
                _outbox.Add(new FeedbackItem
                {
                    Kind = FeedbackKind.Complete,
                    Lease = lease,
                    Outcome = outcome.Kind,
                    PromptTokens = outcome.PromptTokens,
                    CachedTokens = outcome.CachedTokens,
                    OutputTokens = outcome.OutputTokens,
                });
            }
        }

        _standIn?.Complete(lease, in outcome);
        Send();
        return true;
    }

    /// <summary>What an endpoint told of its load beside an answer.</summary>
    public void ReportLoad(in Core.Endpoints.EndpointReport report)
    {
        lock (_gate) _outbox.Add(in report);
        Send();
    }

    /// <summary>The pool is not configured any more: nobody is to wait for it.</summary>
    public void Close()
    {
        Ask[] left;
        lock (_gate)
        {
            _isClosed = true;
            left = [.. _open.Values];
        }

        foreach (var ask in left) Settle(ask, RouteDecision.Refuse(DecisionReason.UnknownPool));
        _standIn?.Close();
        _view.Close();
        _feedbackTimer.Dispose();
    }

    private static RouteDecision Unreachable => RouteDecision.Refuse(DecisionReason.EngineUnreachable, TimeSpan.FromSeconds(1));

    // :: Asking.
    // One that has to wait is asked for by itself, again and again: a message that waits for one must not keep the others.
    private async Task AttemptAsync(Ask ask, TimeSpan pause)
    {
        var attempt = -1;
        while (true)
        {
            // In real time whatever the clock of decisions: it is the network that needs it.
            if (pause > TimeSpan.Zero) await Task.Delay(pause).ConfigureAwait(false);
            RouteCall call;
            lock (_gate)
            {
                if (attempt < 0) attempt = ++ask.Attempt;
                if (ask.IsDone || ask.Attempt != attempt || ask.IsWithStandIn) return;
                // Parked until the pool has been told what this gateway holds; then all are asked.
                if (!_isAnnounced) return;
                call = ask.CallFor(_epoch, _key, _settled);
                ask.AskedAt = _services.Time.GetTimestamp();
                ask.WasAsked = true;
            }

            try
            {
                pause = Take(await _grain.Route(call).ConfigureAwait(false), ask);
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                pause = _services.Options.RetryPause;
            }
        }
    }

    private TimeSpan Take(in RouteReply reply, Ask ask)
    {
        switch (reply.Kind)
        {
            case ReplyKind.Send or ReplyKind.Forward or ReplyKind.Refuse when reply.Epoch >= Volatile.Read(ref _epoch):
                Contact();
                Settle(ask, reply.ToDecision(), reply.Explained, reply.ShardsVersion);
                return TimeSpan.Zero;
            case ReplyKind.Moved:
                Contact();
                Move(ask);
                return TimeSpan.Zero;
            case ReplyKind.StillWaiting:
                Contact();
                // Told so at once by a silo that stops: it will be gone in a moment.
                return _services.Time.GetElapsedTime(ask.AskedAt) < LeastPoll ? LeastPoll : TimeSpan.Zero;
            case ReplyKind.Announce:
                Heard(reply.Epoch, mustAnnounce: true);
                return TimeSpan.Zero;
            case ReplyKind.Unconfigured when _services.Time.GetElapsedTime(ask.BegunAt) >= _services.Options.UnconfiguredWait:
                Contact();
                Settle(ask, RouteDecision.Refuse(DecisionReason.UnknownPool));
                return TimeSpan.Zero;
            default:
                return _services.Options.RetryPause;
        }
    }

    private void Settle(Ask ask, in RouteDecision decision, byte[]? explained = null, long shardsVersion = long.MaxValue)
    {
        if (TrySettle(ask, in decision, explained, shardsVersion)) ask.AnswerSoon();
    }

    // True when the answer is to be handed out.
    private bool TrySettle(Ask ask, in RouteDecision decision, byte[]? explained, long shardsVersion)
    {
        bool accepted;
        lock (_gate)
        {
            // Answered twice, it is the same answer; given up, the pool has been told so.
            if (ask.IsDone) return false;
            accepted = decision.Kind != RouteKind.Send || Accepts(decision.Endpoint, shardsVersion);
            if (accepted)
            {
                ask.TryEnd();
                _open.Remove(ask.Number);
                if (IsKept(in decision)) _held[decision.Lease] = new Holding(ask.Hold(in decision, _services.Options.Pool.AssumedOutputTokens), PlacedAt(), 0);
            }
        }

        if (!accepted)
        {
            Move(ask);
            return false;
        }

        if (explained is not null) _services.Decisions.Add(explained);
        ask.Decide(in decision);
        return true;
    }

    // The pool has just been heard, unless the gateway chose by itself: the clock need not be read again.
    private long PlacedAt() => _standIn is null ? Volatile.Read(ref _lastContact) : _services.Time.GetTimestamp();

    // What another shard is asked for ends here as soon as that one has answered.
    private static bool IsKept(in RouteDecision decision) =>
        decision.Kind == RouteKind.Send || (decision.Kind == RouteKind.Forward && !ShardName.TryParse(decision.Region, out _));

    private void Leave(Ask ask, CancellationToken token)
    {
        lock (_gate)
        {
            if (!ask.TryEnd()) return;
            _open.Remove(ask.Number);
            if (ask.WasAsked) _outbox.Add(new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new LeaseId(0, ask.Number) });
        }

        ask.Leave(token);
        Send();
    }

    // All of them, in the order in which they came: those that were asked elsewhere, too.
    private void AskAll()
    {
        lock (_gate)
        {
            GiveUpAll();
            _fresh.Clear();
            foreach (var ask in _open.Values) ask.IsFresh = false;
            foreach (var ask in _open.Values.OrderBy(a => a.Number)) Freshen(ask);
        }
        StartIfNeeded();
    }

    private void Contact() => Volatile.Write(ref _lastContact, _services.Time.GetTimestamp());
}
