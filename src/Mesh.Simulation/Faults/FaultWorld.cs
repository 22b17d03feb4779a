using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.SpillOver;
using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Faults;

/// <summary>
/// The mesh in virtual time with everything that breaks: the production core behind several gateways and regions, simulated engines, and
/// faults from a seed or a script. The same plan gives the same run, event by event. Not thread-safe; a world is run once.
/// </summary>
internal sealed class FaultWorld
{
    // What is on its way when the last request has ended, and the last tick, are waited for.
    private const double QuietMs = 3000;
    private readonly Dictionary<EndpointId, EndpointProcess> _byId = [];
    private readonly int[] _ends = new int[Enum.GetValues<RequestEnd>().Length];
    private long _version;

    /// <param name="plan">Size, policy and faults.</param>
    /// <param name="makeCore">The core, or a broken variant of it.</param>
    /// <param name="log">Where events are written; null for nowhere.</param>
    /// <param name="recountEvery">Calls of a pool between two full recounts, besides those at every placement.</param>
    public FaultWorld(FaultPlan plan, CorePoolFactory makeCore, TextWriter? log = null, int recountEvery = 32)
    {
        Plan = plan;
        MakeCore = makeCore;
        RecountEvery = recountEvery;
        Random = new Xoshiro256(plan.Seed ^ 0x5DEECE66D);
        Journal = new Journal(log, Time);
        Network = new Network(Time, Random, plan.Regions, plan.LossShare);
        Endpoints = new EndpointProcess[plan.Regions * plan.EndpointsPerRegion];
        for (var i = 0; i < Endpoints.Length; i++)
        {
            Endpoints[i] = new EndpointProcess(Time, Journal, i, i / plan.EndpointsPerRegion, plan.EndpointQueueLimit);
            _byId.Add(Endpoints[i].Id, Endpoints[i]);
        }

        Fleet = new FaultFleet(plan, Endpoints);
        foreach (var endpoint in Endpoints) endpoint.Models = DrawModels(endpoint, change: false);
        Regions = [.. Enumerable.Range(0, plan.Regions).Select(r => new RegionProcess(this, r))];
    }

    public FaultPlan Plan { get; }

    public CorePoolFactory MakeCore { get; }

    public int RecountEvery { get; }

    public Timeline Time { get; } = new();

    public Xoshiro256 Random { get; }

    public Journal Journal { get; }

    public Network Network { get; }

    public FaultFleet Fleet { get; }

    public EndpointProcess[] Endpoints { get; }

    public RegionProcess[] Regions { get; }

    /// <summary>Requests so far.</summary>
    public int Requests { get; set; }

    /// <summary>Requests that ended in this way.</summary>
    public int Ended(RequestEnd end) => _ends[(int)end];

    public EndpointProcess EndpointOf(EndpointId id) => _byId[id];

    /// <summary>Where a region's gateways stand.</summary>
    public Locality LocalityOf(int region) => new()
    {
        Region = FaultFleet.RegionName(region),
        RoundTripTimes = Enumerable.Range(0, Plan.Regions).Where(r => r != region)
            .ToImmutableSortedDictionary(FaultFleet.RegionName, r => TimeSpan.FromMilliseconds(Network.RoundTripMs(region, r))),
    };

    /// <summary>Sends something between regions that needs no order.</summary>
    public void Send(int from, int to, Action arrive) => Time.At(Network.ArrivalMs(from, to), arrive);

    /// <summary>What an endpoint lists: the first model of its pool, where nothing has changed that, and some of the others; default where nobody tells.</summary>
    public ImmutableArray<string> DrawModels(EndpointProcess endpoint, bool change)
    {
        if (Plan.Models == 0) return default;
        var pool = Fleet.PoolOf(endpoint);
        return [.. Enumerable.Range(0, Plan.Models).Where(m => (m == 0 && !change) || Random.NextInt32(2) == 0).Select(m => FaultFleet.Model(pool, m))];
    }

    /// <summary>Sends the configuration as of now to all regions.</summary>
    public void Publish()
    {
        var version = ++_version;
        var config = Fleet.Compile();
        foreach (var region in Regions) Time.After(Random.NextDouble() * 300, () => region.Reconfigure(version, config));
    }

    public void OnEnded(ClientRequest request)
    {
        _ends[(int)request.End]++;
        if (Journal.IsOn) Journal.Note($"{request} ends: {request.End} {request.Reason}");
    }

    /// <summary>Plays the world until all is over or an invariant is broken.</summary>
    /// <returns>The broken invariant; null when none was.</returns>
    public string? Run()
    {
        var config = Fleet.Compile();
        foreach (var region in Regions) region.Start(config);
        new FaultInjector(this).Schedule();
        new Clients(this).Start();
        var endMs = Plan.DurationMs + Plan.Timeout.TotalMilliseconds;
        foreach (var fault in Plan.Faults) endMs = Math.Max(endMs, fault.AtMs + fault.DurationMs);
        endMs += Plan.SessionTimeout.TotalMilliseconds + QuietMs;
        while (Journal.Violation is null && Time.TryStep(endMs))
        {
        }

        if (Journal.Violation is null) JudgeEnd();
        return Journal.Violation;
    }

    private void JudgeEnd()
    {
        var ended = 0;
        foreach (var count in _ends) ended += count;
        if (ended != Requests) Journal.Break($"{Requests} requests came, {ended} ended");
        foreach (var region in Regions)
        {
            foreach (var pool in region.Pools)
            {
                pool?.CountAnew();
                if (pool is { Leases: > 0 } or { Waits: > 0 }) Journal.Break($"{pool.Config.Id} in {FaultFleet.RegionName(region.Number)} is left with {pool.Leases} leases and {pool.Waits} waits");
            }

            foreach (var gateway in region.Gateways)
            {
                if (gateway is { HeldCount: > 0 }) Journal.Break($"{gateway.Session} is left with {gateway.HeldCount} leases");
            }
        }

        foreach (var endpoint in Endpoints)
        {
            if (endpoint.Running + endpoint.Waiting > 0) Journal.Break($"{endpoint.Id} still works on {endpoint.Running + endpoint.Waiting} requests that nobody waits for");
        }
    }
}
