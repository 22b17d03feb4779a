using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// Notes what a request can choose from: who passes the filters, who was removed by which, scores and predictions of the best. It looks at the same
/// candidates as the choice does: backend by backend, but for the cost profile where no policy sets a target. Draws no random number and keeps nothing. For people: it allocates.
/// </summary>
internal sealed class DecisionExplainer(EndpointTable endpoints, SchedulingProfile profile, LeastCost? cost, SlowStart slowStart)
{
    // Candidates looked at in detail, endpoints named as removed, and backends.
    private const int MostCandidates = 256;
    private const int MostRemoved = 16;
    private const int MostBackends = 32;
    private readonly SchedulingWorkspace _workspace = new();
    private readonly List<ExplainedCandidate> _best = [];
    private readonly List<(string Filter, int Count)> _removedBy = [];
    private readonly ImmutableArray<RemovedEndpoint>.Builder _removed = ImmutableArray.CreateBuilder<RemovedEndpoint>();
    private int _candidates;

    /// <summary>Looks at all endpoints of the configuration.</summary>
    public DecisionFacts Explain(in SchedulingContext context, BackendTable backends)
    {
        AddDrained();
        var configured = endpoints.Configured;
        if (cost is not null && backends.IsFree)
        {
            Look(in context, configured, backends.Excluded);
        }
        else
        {
            for (var backend = 0; backend < backends.Loads.Length; backend++) Look(in context, configured[backends.RangeOf(backend)], backends.Excluded);
        }

        // A stable order: of equal ones the first by address.
        _best.Sort((a, b) => Order(a, b) is var order && order != 0 ? order : a.Endpoint.CompareTo(b.Endpoint));
        return new DecisionFacts(_best)
        {
            CandidateCount = _candidates,
            Removed = _removed.ToImmutable(),
            RemovedBy = [.. _removedBy.Select(r => new RemovalCount(r.Filter, r.Count))],
            Backends = BackendsOf(backends, context.Now),
        };
    }

    private void AddDrained()
    {
        if (endpoints.Drained.IsEmpty) return;
        _removedBy.Add((RemovedEndpoint.Drained, endpoints.Drained.Length));
        foreach (var endpoint in endpoints.Drained[..Math.Min(MostRemoved, endpoints.Drained.Length)]) _removed.Add(new RemovedEndpoint(endpoint.Id, RemovedEndpoint.Drained));
    }

    private int Order(in ExplainedCandidate a, in ExplainedCandidate b) =>
        cost is not null ? a.CostMs.CompareTo(b.CostMs) : (b.Score ?? 0).CompareTo(a.Score ?? 0);

    private void Look(in SchedulingContext context, ReadOnlySpan<EndpointState> among, ReadOnlySpan<bool> excluded)
    {
        if (among.IsEmpty) return;
        var candidates = _workspace.Candidates(among);
        var before = new HashSet<EndpointState>(among.Length);
        foreach (var endpoint in among) before.Add(endpoint);
        if (!excluded.IsEmpty) candidates = Narrow(candidates, Open(candidates, excluded), RemovedEndpoint.BackendClosed, before);
        foreach (var filter in profile.Filters)
        {
            if (candidates.IsEmpty) return;
            candidates = Narrow(candidates, filter.Filter(in context, candidates), filter.Name, before);
        }

        if (slowStart.IsActive) candidates = Narrow(candidates, SlowStart.Keep(candidates), RemovedEndpoint.SlowStart, before);
        _candidates += candidates.Length;
        if (candidates.IsEmpty) return;
        if (cost is not null) AddByCost(in context, candidates);
        else AddByScore(in context, candidates);
    }

    private static int Open(Span<EndpointState> candidates, ReadOnlySpan<bool> excluded)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (!excluded[candidates[i].BackendIndex]) candidates[kept++] = candidates[i];
        }

        return kept;
    }

    private Span<EndpointState> Narrow(Span<EndpointState> candidates, int kept, string filter, HashSet<EndpointState> before)
    {
        if (kept == candidates.Length) return candidates;
        var index = _removedBy.FindIndex(r => r.Filter == filter);
        if (index < 0) _removedBy.Add((filter, candidates.Length - kept));
        else _removedBy[index] = (filter, _removedBy[index].Count + candidates.Length - kept);
        var passed = new HashSet<EndpointState>(kept);
        foreach (var endpoint in candidates[..kept]) passed.Add(endpoint);
        foreach (var endpoint in before.Where(e => !passed.Contains(e)).OrderBy(e => e.Id).Take(MostRemoved - _removed.Count)) _removed.Add(new RemovedEndpoint(endpoint.Id, filter));
        before.IntersectWith(passed);
        return candidates[..kept];
    }

    private void AddByCost(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates)
    {
        foreach (var found in cost!.Explain(in context, candidates, context.NowMs, MostCandidates))
        {
            if (endpoints.TryFind(found.Endpoint, out var endpoint)) _best.Add(WithState(in context, found, endpoint));
        }
    }

    private void AddByScore(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates)
    {
        var scorers = profile.Scorers;
        var scores = new double[scorers.Length][];
        var totals = new double[candidates.Length];
        for (var s = 0; s < scorers.Length; s++)
        {
            scores[s] = new double[candidates.Length];
            scorers[s].Scorer.Score(in context, candidates, scores[s]);
            for (var i = 0; i < totals.Length; i++) totals[i] += scorers[s].Weight * scores[s][i];
        }

        var order = Enumerable.Range(0, candidates.Length).OrderByDescending(i => totals[i]).ThenBy(i => i).Take(MostCandidates);
        foreach (var i in order)
        {
            var endpoint = candidates[i];
            var row = endpoints.Costs.Rows[endpoint.Slot];
            var candidate = new ExplainedCandidate(
                endpoint.Id, 0, row.WaitMs(context.NowMs), row.QueuedMs, context.PredictOwnMs(endpoint), context.TokensHeldBy(endpoint), row.DecodeMs, row.RoundTripMs)
            {
                Score = scorers.IsEmpty ? null : totals[i],
                Scores = [.. scorers.Select((s, index) => new ExplainedScore(s.Scorer.Name, scores[index][i], s.Weight))],
            };
            _best.Add(WithState(in context, candidate, endpoint));
        }
    }

    private ExplainedCandidate WithState(in SchedulingContext context, ExplainedCandidate candidate, EndpointState endpoint)
    {
        var utilization = endpoint.KvUtilization(context.Freshness);
        return candidate with
        {
            Backend = endpoint.Backend.Id,
            Scores = candidate.Scores.IsDefault ? [] : candidate.Scores,
            PredictedTtftMs = candidate.WaitMs + candidate.QueuedMs + candidate.OwnMs + candidate.RoundTripMs,
            PredictedTpotMs = context.PredictTpotMs(endpoint),
            InFlightRequests = endpoint.InFlightRequests,
            Ramp = slowStart.RampOf(endpoint, context.Now),
            KvUtilizationRatio = double.IsNaN(utilization) ? null : utilization,
        };
    }

    private static ImmutableArray<ExplainedBackend> BackendsOf(BackendTable backends, TimeSpan now)
    {
        var shown = ImmutableArray.CreateBuilder<ExplainedBackend>();
        for (var i = 0; i < backends.Loads.Length && i < MostBackends; i++)
        {
            var load = backends.Loads[i];
            shown.Add(new ExplainedBackend(load.Config.Id, load.Fullness(now), load.InFlight, load.HealthyCount, load.EndpointCount, backends.Selector.IsOpen(i)));
        }

        return shown.ToImmutable();
    }
}
