using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>
/// One life of a gateway: its session, its open requests and its connections to the pools of the region's engine. What it does with a request is
/// <see cref="GatewayForwarding"/>.
/// </summary>
internal sealed class GatewayRun
{
    private readonly RegionProcess _region;
    private readonly GatewayForwarding _forwarding;
    private readonly PoolConnection[] _pools;

    public GatewayRun(FaultWorld world, RegionProcess region, int number, long epoch)
    {
        _region = region;
        Number = number;
        Session = new GatewaySession($"gateway-{number}", epoch);
        _forwarding = new GatewayForwarding(world, region, this);
        _pools = [.. Enumerable.Range(0, world.Plan.PoolWeights.Count).Select(p => new PoolConnection(world, region, this, _forwarding, p))];
    }

    public int Number { get; }

    public GatewaySession Session { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>Requests that have not ended, in order of their arrival.</summary>
    public List<ClientRequest> Open { get; } = [];

    /// <summary>Leases held.</summary>
    public int HeldCount => _pools.Sum(p => p.HeldCount);

    public void Start()
    {
        foreach (var pool in _pools) pool.Beat();
    }

    /// <summary>The process dies: connections close, messages that have left arrive.</summary>
    public void Crash()
    {
        IsAlive = false;
        foreach (var request in Open.ToArray()) _forwarding.Lose(request);
        _region.Note($"{Session} dies with {HeldCount} leases");
    }

    /// <summary>Nothing passes between it and the engine.</summary>
    public void CutFromEngine(double untilMs)
    {
        foreach (var pool in _pools) pool.Cut(untilMs);
    }

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

    /// <summary>Asks the request's pool for a place.</summary>
    public void Ask(ClientRequest request) => _pools[request.Pool].Ask(request);

    /// <summary>Gives up asking.</summary>
    public void StopAsking(ClientRequest request) => _pools[request.Pool].StopAsking(request);

    /// <summary>Tells the pool that an answer has begun.</summary>
    public void ReportFirstByte(Attempt attempt) => _pools[attempt.Request.Pool].ReportFirstByte(attempt.Lease);

    /// <summary>Gives an attempt's lease back, once.</summary>
    public void Complete(Attempt attempt, RequestOutcome outcome) => _pools[attempt.Request.Pool].Complete(attempt.Lease, outcome);

    /// <summary>The engine has died: calls under way fail, and are made anew.</summary>
    public void OnEngineLost()
    {
        foreach (var pool in _pools) pool.OnPoolLost();
    }
}
