using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Regions;

/// <summary>
/// Recounts what regions do to each other from what is seen from outside, and notes every rule that is broken: no second hop, no region asked twice for one
/// request, nobody answered twice or never, no lease without a request, no more in flight than the target where nothing may be overfilled, no more granted than
/// there is, no more sent than was granted.
/// </summary>
internal sealed class RegionJudge(RegionWorldOptions options)
{
    private const int MostKept = 20;
    private readonly List<string> _violations = [];
    private readonly HashSet<(long Request, int Region)> _refused = [];
    private readonly HashSet<(int Region, string Peer)> _miscounted = [];
    private readonly Dictionary<(int From, int To), PairCount> _pairs = [];

    /// <summary>What was broken, the first twenty.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>Most that was in flight in a region at a time.</summary>
    public int[] Peak { get; } = new int[options.Regions];

    /// <summary>True where messages get lost or regions die: then credits may be written off, and counts of both sides differ.</summary>
    public bool HasFaults { get; set; }

    public void Break(double nowMs, string what)
    {
        if (_violations.Count < MostKept) _violations.Add($"{nowMs:F3} ms: {what}");
    }

    /// <summary>A pool has decided on a request that came from a peer.</summary>
    public void OnForwardedDecided(double nowMs, RegionRequest request, int region, in RouteDecision decision)
    {
        if (decision.Kind == RouteKind.Forward) Break(nowMs, $"request {request.Number} was to go from {region} on to {decision.Region}: a second hop");
    }

    /// <summary>A region has refused or failed a request.</summary>
    public void OnNotTaken(RegionRequest request, int region) => _refused.Add((request.Number, region));

    /// <summary>True when so much is broken that going on says no more.</summary>
    public bool HasSeenEnough => _violations.Count >= MostKept;

    /// <summary>A gateway forwards its client's request, having so many with that region already.</summary>
    public void OnForward(double nowMs, RegionRequest request, int to, int inFlight, in RouteDecision decision)
    {
        if (to == request.Home) Break(nowMs, $"request {request.Number} was forwarded home");
        if (_refused.Contains((request.Number, to))) Break(nowMs, $"request {request.Number} was forwarded to {to} again, which had refused or failed it");
        var pair = Pair(request.Home, to);
        pair.Sent++;
        if (HasFaults || decision.Reason == DecisionReason.Overfill) return;
        // Whole requests: the last credit may be a part of one.
        if (pair.Sent - pair.Received <= Math.Ceiling(pair.Grant)) return;
        // Where places are kept, what has ended makes room for as many again.
        if (pair.Hosted is { } hosted && inFlight + 1 <= hosted + Math.Ceiling(pair.Grant)) return;
        Break(nowMs, $"{request.Home} sent {to} {pair.Sent - pair.Received} requests with {pair.Grant} credits, {inFlight + 1} at a time with {pair.Hosted} kept");
    }

    /// <summary>A report arrives.</summary>
    public void OnReport(int from, int to, PoolReport report)
    {
        var pair = Pair(to, from);
        pair.Received = report.Received;
        pair.Grant = report.Tiers.Sum(t => t.Grant);
        pair.Hosted = report.Hosted;
    }

    /// <summary>Reports to all peers were made at one moment.</summary>
    public void OnGranted(double nowMs, int region, IEnumerable<PoolReport> reports)
    {
        foreach (var tier in reports.SelectMany(r => r.Tiers).GroupBy(t => t.Preference))
        {
            if (tier.Sum(t => t.Grant) > tier.Max(t => t.Spare) + 0.1) Break(nowMs, $"{region} granted {tier.Sum(t => t.Grant)} of {tier.Max(t => t.Spare)}");
        }
    }

    /// <summary>A region's state after an event.</summary>
    public void OnState(double nowMs, RegionSite site)
    {
        var snapshot = site.Pool.Snapshot();
        if (snapshot.Leases != site.OpenLeases) Break(nowMs, $"{site.Name} has {snapshot.Leases} leases, {site.OpenLeases} requests hold one");
        foreach (var peer in snapshot.Peers)
        {
            var open = site.ForwardedTo(peer.Region);
            if (peer.InFlight != open) Break(nowMs, $"{site.Name} counts {peer.InFlight} requests with {peer.Region}, {open} are there");
            var hosted = site.HostedFor(peer.Region);
            // A count that stays wrong says no more than once.
            if (peer.Hosted != hosted && _miscounted.Add((site.Number, peer.Region))) Break(nowMs, $"{site.Name} counts {peer.Hosted} requests of {peer.Region}, it has {hosted}");
        }

        foreach (var backend in snapshot.Backends)
        {
            Peak[site.Number] = Math.Max(Peak[site.Number], backend.InFlightRequests);
            if (backend.Settings.Mode != BalancingMode.InFlight || options.FlowControl.WhenFull == WhenFull.Overfill) continue;
            var target = backend.Settings.MaxInFlightPerEndpoint * (double)backend.Endpoints.Length * backend.Settings.CapacityScaler;
            if (backend.InFlightRequests > target) Break(nowMs, $"{site.Name} has {backend.InFlightRequests} requests in flight, its target is {target}");
        }
    }

    /// <summary>A request has come to an end.</summary>
    public void OnEnd(double nowMs, RegionRequest request, RegionEnd end)
    {
        if (request.End != RegionEnd.None) Break(nowMs, $"request {request.Number} was {request.End} and is now {end}");
    }

    private PairCount Pair(int from, int to)
    {
        if (!_pairs.TryGetValue((from, to), out var pair)) _pairs.Add((from, to), pair = new PairCount());
        return pair;
    }

    private sealed class PairCount
    {
        public long Sent { get; set; }

        public long Received { get; set; }

        public double Grant { get; set; }

        public int? Hosted { get; set; }
    }
}
