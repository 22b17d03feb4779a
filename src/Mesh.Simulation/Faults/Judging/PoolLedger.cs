using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>
/// What one pool state must hold, by the rules of leases and sessions alone: kept beside the core from the same calls and without a look
/// into it. Knows nothing of scheduling.
/// </summary>
internal sealed class PoolLedger(PoolStateOptions options, PoolConfig config, TimeProvider time)
{
    private readonly Dictionary<LeaseId, LedgerLease> _leases = [];
    private readonly Dictionary<GatewaySession, long> _sessions = [];
    private readonly HashSet<LeaseId> _passedOver = [];

    /// <summary>The configuration in force.</summary>
    public PoolConfig Config { get; private set; } = config;

    /// <summary>Endpoints that the pool knows: those of the configuration and those with leases.</summary>
    public SortedDictionary<EndpointId, EndpointShadow> Endpoints { get; } =
        new(config.Backends.SelectMany(b => b.Endpoints).ToDictionary(e => e.Id, _ => new EndpointShadow()));

    /// <summary>Leases outstanding.</summary>
    public int LeaseCount => _leases.Count;

    /// <summary>Requests that wait, by ticket.</summary>
    public SortedDictionary<long, LedgerWait> Waits { get; } = [];

    /// <summary>When what is in flight last changed otherwise than by a placement or an end.</summary>
    public long DisturbedAt { get; set; }

    /// <summary>Sessions and when each was last heard of.</summary>
    public IEnumerable<(GatewaySession Session, long LastSeen)> Sessions => _sessions.Select(s => (s.Key, s.Value));

    /// <summary>Backend of the configuration that has the endpoint; null when none has.</summary>
    public BackendConfig? BackendOf(EndpointId endpoint)
    {
        foreach (var backend in Config.Backends)
        {
            foreach (var declared in backend.Endpoints)
            {
                if (declared.Id == endpoint) return backend;
            }
        }

        return null;
    }

    /// <summary>Requests in flight at a backend's endpoints.</summary>
    public int InFlightAt(BackendConfig backend) => backend.Endpoints.Sum(e => Endpoints.TryGetValue(e.Id, out var shadow) ? shadow.InFlight : 0);

    /// <summary>A sign of life.</summary>
    public void Touch(GatewaySession session) => _sessions[session] = time.GetTimestamp();

    public bool Holds(LeaseId lease) => _leases.ContainsKey(lease);

    /// <summary>Endpoint of a lease; null when it is not held.</summary>
    public EndpointId? EndpointOf(LeaseId lease) => _leases.TryGetValue(lease, out var held) ? held.Endpoint : null;

    /// <summary>True when the pool could not take an announced lease over and said so.</summary>
    public bool WasPassedOver(LeaseId lease) => _passedOver.Contains(lease);

    /// <summary>A lease was handed out.</summary>
    public void Place(LeaseId lease, GatewaySession session, in RouteRequest request, EndpointId endpoint) =>
        Add(lease, new LedgerLease(session, endpoint, request.PromptTokens, request.MaxOutputTokens > 0 ? request.MaxOutputTokens : options.AssumedOutputTokens));

    /// <summary>The answer's first byte.</summary>
    public void FirstByte(LeaseId lease)
    {
        if (!_leases.TryGetValue(lease, out var held) || held.FirstByteSeen) return;
        held.FirstByteSeen = true;
        Endpoints[held.Endpoint].PrefillTokens -= held.PromptTokens;
    }

    /// <summary>A lease ends; false when there is none.</summary>
    public bool End(LeaseId lease)
    {
        if (!_leases.Remove(lease, out var held)) return false;
        var endpoint = Endpoints[held.Endpoint];
        endpoint.InFlight--;
        endpoint.Tokens -= held.PromptTokens + held.OutputTokens;
        if (!held.FirstByteSeen) endpoint.PrefillTokens -= held.PromptTokens;
        Forget(held.Endpoint);
        return true;
    }

    /// <summary>How many of a gateway's leases the pool must take over.</summary>
    public int Adopt(GatewaySession session, HeldLease[] held)
    {
        Touch(session);
        var adopted = 0;
        foreach (var lease in held)
        {
            if (_leases.ContainsKey(lease.Lease)) continue;
            if (!Endpoints.ContainsKey(lease.Endpoint) || _leases.Count >= options.MaxLeases)
            {
                _passedOver.Add(lease.Lease);
                continue;
            }

            _passedOver.Remove(lease.Lease);
            Add(lease.Lease, new LedgerLease(session, lease.Endpoint, lease.PromptTokens, lease.OutputTokens));
            if (lease.FirstByteSeen) FirstByte(lease.Lease);
            adopted++;
        }

        if (adopted > 0) DisturbedAt = time.GetTimestamp();
        return adopted;
    }

    /// <summary>What sessions held that have been silent for too long returns, and nobody waits for them any more.</summary>
    public void ExpireSilent()
    {
        var timeout = Math.Max(1, (long)(options.SessionTimeout.TotalSeconds * time.TimestampFrequency));
        var now = time.GetTimestamp();
        foreach (var (session, lastSeen) in _sessions.ToArray())
        {
            if (now - lastSeen < timeout) continue;
            _sessions.Remove(session);
            foreach (var (lease, held) in _leases.ToArray())
            {
                if (held.Session == session) End(lease);
            }

            foreach (var (ticket, wait) in Waits.ToArray())
            {
                if (wait.Session == session) Waits.Remove(ticket);
            }
        }
    }

    /// <summary>Takes a configuration.</summary>
    public void Reconfigure(PoolConfig next)
    {
        DisturbedAt = time.GetTimestamp();
        Config = next;
        foreach (var endpoint in next.Backends.SelectMany(b => b.Endpoints)) Endpoints.TryAdd(endpoint.Id, new EndpointShadow());
        foreach (var endpoint in Endpoints.Keys.ToArray()) Forget(endpoint);
    }

    private void Add(LeaseId id, LedgerLease lease)
    {
        _leases.Add(id, lease);
        if (!Endpoints.TryGetValue(lease.Endpoint, out var endpoint)) Endpoints.Add(lease.Endpoint, endpoint = new EndpointShadow());
        endpoint.InFlight++;
        endpoint.Tokens += lease.PromptTokens + lease.OutputTokens;
        endpoint.PrefillTokens += lease.PromptTokens;
    }

    private void Forget(EndpointId endpoint)
    {
        if (Endpoints[endpoint].InFlight == 0 && BackendOf(endpoint) is null) Endpoints.Remove(endpoint);
    }

    private sealed class LedgerLease(GatewaySession session, EndpointId endpoint, long promptTokens, long outputTokens)
    {
        public GatewaySession Session { get; } = session;

        public EndpointId Endpoint { get; } = endpoint;

        public long PromptTokens { get; } = promptTokens;

        public long OutputTokens { get; } = outputTokens;

        public bool FirstByteSeen { get; set; }
    }
}

/// <summary>One request that waits.</summary>
/// <param name="Session">Whose it is.</param>
/// <param name="Request">What it asked for.</param>
/// <param name="Since">Timestamp of its arrival.</param>
internal sealed record LedgerWait(GatewaySession Session, RouteRequest Request, long Since);
