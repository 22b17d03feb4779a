using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Rules;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// Finds the place of one request: the backend by tiers and fullness, then the endpoint inside it by the scheduling profile. A backend
/// whose endpoints cannot take the request (another model, not in the subset) is passed over for the next. Where no policy sets a target,
/// the cost profile chooses among all backends at once, distance being part of the cost. Reserves nothing.
/// </summary>
internal sealed class Placer(EndpointTable endpoints, CostModel costs, SchedulingConfig config, Xoshiro256 random, SlowStart slowStart)
{
    private readonly SchedulingWorkspace _workspace = new();
    private readonly NamedEndpoints _named = new(endpoints);
    private readonly SessionPlaces _sessions = new(endpoints);
    private readonly SchedulingProfile _profile = ProfileBuilder.Build(config);
    private readonly LeastCost? _cost = config.ChoosesByCost ? new LeastCost(costs, endpoints, random) : null;
    private readonly double _bindAheadMs = config.BindAhead?.TotalMilliseconds ?? double.PositiveInfinity;

    /// <summary>How much prompt work an endpoint may have outstanding when it gets another request; infinite for early binding.</summary>
    public double BindAheadMs => _cost is null ? double.PositiveInfinity : _bindAheadMs;

    /// <summary>Chooses an endpoint.</summary>
    /// <param name="context">The request and what was looked up for it.</param>
    /// <param name="backends">The configuration's backends.</param>
    /// <param name="now">Now.</param>
    /// <param name="overfill">Whether a backend at target may be chosen when all are.</param>
    public Placement Place(in SchedulingContext context, BackendTable backends, TimeSpan now, bool overfill)
    {
        if (FindAffine(in context, backends, now) is { } affine) return affine;
        if (_cost is not null && backends.IsFree) return PlaceAnywhere(in context, backends, now);

        var ruledOut = backends.StartRulingOut();
        var reason = DecisionReason.NoReadyEndpoint;
        for (var tries = 0; tries < ruledOut.Length; tries++)
        {
            var choice = backends.Selector.Select(now, ruledOut);
            if (choice.Kind == ChoiceKind.None) break;
            var placement = choice.Kind == ChoiceKind.Overfill && !overfill
                ? FullIfAble(in context, backends, backends.RangeOf(choice.Backend))
                : PlaceIn(in context, backends, choice.Backend, now);
            if (placement == Placement.Full) return placement;
            if (placement.Endpoint is not null)
            {
                backends.Selector.OnChosen(choice);
                return placement with
                {
                    Reason = ReasonFor(choice.Kind, placement.Reason),
                    WithinTarget = choice.Kind is ChoiceKind.FirstTier or ChoiceKind.Overflow,
                    PassesOn = choice.PassesOn,
                };
            }

            // The refusal that says most about the request: reasons are ranked from "nobody is there" to "all have failed it".
            ruledOut[choice.Backend] = true;
            if (Rank(placement.Reason) > Rank(reason)) reason = placement.Reason;
        }
        return Placement.None(reason);
    }

    /// <summary>True when the profile predicts costs.</summary>
    public bool PredictsCosts => _cost is not null;

    /// <summary>Cost of an endpoint to a request that is next in its queue; minus infinity where nothing is predicted: nobody waits for endpoints there.</summary>
    public double CostOfNext(in SchedulingContext context, EndpointState endpoint, TimeSpan now) =>
        _cost is null ? double.NegativeInfinity : _cost.CostOfNext(in context, endpoint, now.TotalMilliseconds);

    /// <summary>Mean predicted wait of the endpoints looked at last, in milliseconds; 0 where nothing is predicted.</summary>
    public double MeanWaitMs => _cost?.MeanWaitMs ?? 0;

    /// <summary>What a stream that is pushed over its target costs at the present load, in milliseconds.</summary>
    public double PushedStreamMs => _cost?.PushedStreamMs ?? CostModel.PushedStreamMsAt(0);

    /// <summary>Chooses anew for a request that waits for <paramref name="current"/>, among the endpoints that its policy left it.</summary>
    public Placement PlaceAgain(in SchedulingContext context, BackendTable backends, EndpointState current, TimeSpan now) =>
        _cost is not null && backends.IsFree
            ? PlaceAnywhere(in context, backends, now)
            : current.BackendIndex < 0 ? Placement.None(DecisionReason.NoReadyEndpoint) : PlaceIn(in context, backends, current.BackendIndex, now);

    /// <summary>False when a request that waits for one endpoint could not be sent to any other now.</summary>
    public bool MayHaveIdle(TimeSpan now) => endpoints.Costs.MayHaveIdle(BindAheadMs, now.TotalMilliseconds);

    // Full, and not merely unable: only for a place that there can be does it make sense to wait.
    private Placement FullIfAble(in SchedulingContext context, BackendTable backends, Range among) =>
        Filter(in context, backends, among, default, out var reason).IsEmpty ? Placement.None(reason) : Placement.Full;

    /// <summary>What a request could choose from. For people: it allocates.</summary>
    public DecisionFacts Explain(in SchedulingContext context, BackendTable backends) => new DecisionExplainer(endpoints, _profile, _cost, slowStart).Explain(in context, backends);

    private Placement PlaceAnywhere(in SchedulingContext context, BackendTable backends, TimeSpan now)
    {
        if (ChooseReady(in context, CandidateRows.All(backends.Excluded), now.TotalMilliseconds) is { } choice) return PlacementOf(in choice, now.TotalMilliseconds);
        var placement = PlaceAmong(in context, backends, Range.All, now, backends.Excluded);
        return placement.Endpoint is null && backends.Excluded.Contains(true) ? PlaceAmong(in context, backends, Range.All, now, backends.SwitchedOff) : placement;
    }

    private bool LooksAtReadyOnly(in SchedulingContext context) => context.FitsEverywhere && !_profile.HasOwnFilters;

    // Null where candidates have to be listed: few of them, or of a request that does not fit everywhere. And where nobody is there.
    private CostChoice? ChooseReady(in SchedulingContext context, CandidateRows among, double nowMs)
    {
        if (!LooksAtReadyOnly(in context)) return null;
        var excluded = context.Request.Excluded;
        if (excluded.IsDefaultOrEmpty) return _cost!.ChooseReady(in context, among, _bindAheadMs, nowMs);
        return _cost!.IsLarge(among) ? _cost.ChooseReady(in context, among.Without(endpoints, endpoints.Mark(excluded)), _bindAheadMs, nowMs) : null;
    }

    private Span<EndpointState> Filter(in SchedulingContext context, BackendTable backends, Range among, ReadOnlySpan<bool> excluded, out DecisionReason reason)
    {
        reason = default;
        var named = _named.In(in context, backends, among);
        var candidates = named.IsEmpty ? [] : _profile.Filter(in context, named, _workspace, excluded, out reason);
        if (!candidates.IsEmpty) return candidates;
        if (context.FitsEverywhere && context.Request.Excluded.IsDefaultOrEmpty)
        {
            candidates = _profile.FilterReady(in context, _workspace.Ready(endpoints.Configured[among], endpoints.Slots[among], endpoints.Costs), excluded);
            if (!candidates.IsEmpty) return candidates;
        }

        // Why nobody is left is told by the filters' order, which begins with all.
        return _profile.Filter(in context, endpoints.Configured[among], _workspace, excluded, out reason);
    }

    private Placement PlaceAmong(in SchedulingContext context, BackendTable backends, Range among, TimeSpan now, ReadOnlySpan<bool> excluded = default)
    {
        if (endpoints.Configured[among].IsEmpty) return Placement.None(DecisionReason.NoReadyEndpoint);
        var candidates = Filter(in context, backends, among, excluded, out var reason);
        if (candidates.IsEmpty) return Placement.None(reason);
        if (slowStart.IsActive) candidates = candidates[..SlowStart.Keep(candidates)];
        if (_cost is null)
        {
            var picked = _profile.Pick(in context, candidates, _workspace, random);
            // The work is known at its end all the same: predictions and their explanation rest on it.
            return new Placement(picked.Endpoint, picked.Reason)
            {
                WithinTarget = true,
                OwnMs = context.PredictOwnMs(picked.Endpoint!),
                TableMs = context.PredictOwnMs(picked.Endpoint!, speedRatio: 1),
                CachedTokens = context.TokensHeldBy(picked.Endpoint!),
            };
        }

        var nowMs = now.TotalMilliseconds;
        var choice = _cost.Choose(in context, candidates, _bindAheadMs, nowMs);
        return PlacementOf(in choice, nowMs);
    }

    private Placement PlaceIn(in SchedulingContext context, BackendTable backends, int backend, TimeSpan now)
    {
        var nowMs = now.TotalMilliseconds;
        if (_cost is null) return PlaceAmong(in context, backends, backends.RangeOf(backend), now);
        if (ChooseReady(in context, CandidateRows.Of(backend, backends.AllBut(backend), backends.SlotsOf(backend)), nowMs) is { } choice) return PlacementOf(in choice, nowMs);
        // Those that are held back serve all the same where nobody else is there.
        return slowStart.IsActive || !LooksAtReadyOnly(in context) || !context.Request.Excluded.IsDefaultOrEmpty
            ? PlaceAmong(in context, backends, backends.RangeOf(backend), now)
            : Placement.None(DecisionReason.NoReadyEndpoint);
    }

    private Placement PlacementOf(in CostChoice choice, double nowMs) =>
        new(choice.Endpoint, choice.IsOnly ? DecisionReason.OnlyCandidate : DecisionReason.LeastCost)
        {
            WithinTarget = true,
            Ready = IsReady(choice.Endpoint, nowMs),
            CostMs = choice.CostMs,
            OwnMs = choice.OwnMs,
            TableMs = choice.TableMs,
            CachedTokens = choice.CachedTokens,
        };

    private bool IsReady(EndpointState endpoint, double nowMs) => endpoint.QueueCount == 0 && endpoint.Work.WaitMs(nowMs) < _bindAheadMs;

    private Placement? FindAffine(in SchedulingContext context, BackendTable backends, TimeSpan now)
    {
        var sticky = context.Request.AffinityEndpoint;
        if (sticky.Address is not null)
        {
            // A session that names its endpoint keeps it as long as it serves, whatever the load.
            return endpoints.TryFind(sticky, out var named) && named.BackendIndex >= 0 && _profile.Accepts(in context, named, _workspace)
                ? new Placement(named, DecisionReason.SessionAffinity) { WithinTarget = backends.Loads[named.BackendIndex].HasRoom(now) }
                : null;
        }
        if (context.Request.AffinityKey == 0) return null;

        // The backends that the first request of the session would see: an endpoint of one that is full is no reason to wait.
        var best = BestOfSession(in context, backends);
        if (best < 0 || !backends.Loads[endpoints.Configured[best].BackendIndex].HasRoom(now)) return null;
        return new Placement(endpoints.Configured[best], DecisionReason.SessionAffinity) { WithinTarget = true };
    }

    private int BestOfSession(in SchedulingContext context, BackendTable backends)
    {
        var all = endpoints.Configured;
        if (all.Length >= SessionPlaces.LeastEndpoints)
        {
            foreach (var place in _sessions.Find(context.Request.AffinityKey, backends))
            {
                if (_profile.Accepts(in context, all[place], _workspace)) return place;
            }
        }

        var best = -1;
        var bestWeight = 0UL;
        foreach (var backend in backends.Selector.FirstUsableTier())
        {
            // Whoever drains a backend wants its sessions to leave, too.
            if (!backends.Selector.IsOpen(backend)) continue;
            var range = backends.RangeOf(backend);
            for (var i = range.Start.Value; i < range.End.Value; i++)
            {
                var weight = RendezvousHash.Weight(all[i], context.Request.AffinityKey);
                if (best >= 0 && weight <= bestWeight || !_profile.Accepts(in context, all[i], _workspace)) continue;
                best = i;
                bestWeight = weight;
            }
        }
        return best;
    }

    private static DecisionReason ReasonFor(ChoiceKind kind, DecisionReason picked) => kind switch
    {
        ChoiceKind.Overflow => DecisionReason.Overflow,
        ChoiceKind.Overfill => DecisionReason.Overfill,
        ChoiceKind.LastResort => DecisionReason.LastResort,
        _ => picked,
    };

    private static int Rank(DecisionReason reason) => reason switch
    {
        DecisionReason.AllAttemptsFailed => 2,
        DecisionReason.UnknownModel => 1,
        _ => 0,
    };
}
