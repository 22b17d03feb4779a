using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// Chooses the endpoint of least predicted cost (<see cref="CostModel"/>) in one pass over the candidates; among equal ones each with the
/// same probability. Where any endpoint of a large pool may be taken, <see cref="LargePoolSearch"/> says at which to look.
/// </summary>
internal sealed class LeastCost(CostModel model, EndpointTable endpoints, Xoshiro256 random)
{
    // In a pool where everyone is busy, work done twice costs this many times itself: it is taken from those who come later.
    private const double RepeatedWorkWeight = 8;
    private readonly HeldCosts _heldCosts = new();
    private LoadSample[] _samples = [];
    private double _meanWaitMs;
    private double _pushedStreamMs = CostModel.PushedStreamMsAt(0);

    public CostModel Model { get; } = model;

    /// <summary>Mean wait of the candidates looked at last, in milliseconds.</summary>
    public double MeanWaitMs => _meanWaitMs;

    /// <summary>What a pushed stream costs at the present load.</summary>
    public double PushedStreamMs => _pushedStreamMs;

    /// <summary>What the adapters of requests cost.</summary>
    public AdapterCost Adapters { get; init; } = new(endpoints);

    /// <summary>How the endpoints of a large pool are searched.</summary>
    public LargePoolSearch Search { get; init; } = new(model, endpoints, random);

    /// <summary>
    /// Chooses among at least one candidate. What waits in the pool for an endpoint does not count: a request holds out for the endpoint that costs least
    /// to compute it, and changes its mind as that changes. So work is done where most of it is cached, and streams within their target are spared,
    /// which is what an overloaded pool needs most.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="candidates">Endpoints that may take it.</param>
    /// <param name="bindAheadMs">An endpoint with less work than this, and no queue, could begin at once.</param>
    /// <param name="nowMs">Now.</param>
    public CostChoice Choose(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, double bindAheadMs, double nowMs)
    {
        var scan = Start(in context, bindAheadMs, nowMs, Adapters.For(in context, nowMs, counts: true));
        foreach (var candidate in candidates) scan.Look(in context, candidate.Slot, in endpoints.Costs.Rows[candidate.Slot], endpoints, context.HeldBy(candidate.Slot));
        return EndOfAll(in scan);
    }

    /// <summary>As <see cref="Choose"/>, among all ready endpoints of some backends, those that are held back aside. Null when there is none.</summary>
    /// <param name="context">A request that fits everywhere.</param>
    /// <param name="among">The endpoints.</param>
    /// <param name="bindAheadMs">As there.</param>
    /// <param name="nowMs">Now.</param>
    public CostChoice? ChooseReady(in SchedulingContext context, CandidateRows among, double bindAheadMs, double nowMs)
    {
        var adapter = Adapters.For(in context, nowMs, counts: true);
        var scan = Start(in context, bindAheadMs, nowMs, adapter);
        var rows = endpoints.Costs.Rows;
        var end = Math.Min(rows.Length, among.End);
        if (IsLarge(among))
        {
            Search.Search(in context, among, ref scan, adapter, CostModel.WorkWeightAt(_meanWaitMs), nowMs);
            (_meanWaitMs, var busyShare) = SampleOf(among.Sample).Look(rows[..end], among, bindAheadMs, nowMs);
            // Who was left out was a candidate, too.
            return scan.Count == 0 ? null : End(in scan, busyShare) with { IsOnly = scan.Count == 1 && !HasTwo(rows[..end], among) };
        }

        var holders = context.Holders;
        var held = holders is null ? context.HeldBlocks : default;
        for (var slot = among.First; slot < end; slot++)
        {
            ref readonly var row = ref rows[slot];
            if (among.Has(in row, slot)) scan.Look(in context, slot, in row, endpoints, holders is not null ? holders.Of(slot) : held.IsEmpty ? 0 : held[slot]);
        }

        return scan.Count == 0 ? null : EndOfAll(in scan);
    }

    /// <summary>True when <see cref="ChooseReady"/> searches a tree of bounds instead of looking at all.</summary>
    public bool IsLarge(CandidateRows among) => Math.Min(endpoints.Costs.Count, among.End) - among.First >= CostTable.LargeSlots;

    private LoadSample SampleOf(int number)
    {
        if (number >= _samples.Length) Array.Resize(ref _samples, number + 1);
        return _samples[number] ??= new LoadSample();
    }

    private static bool HasTwo(ReadOnlySpan<CostRow> rows, CandidateRows among)
    {
        var count = 0;
        for (var slot = among.First; slot < rows.Length; slot++)
        {
            if (among.Has(in rows[slot], slot) && ++count == 2) return true;
        }

        return false;
    }

    private CostScan Start(in SchedulingContext context, double bindAheadMs, double nowMs, AdapterCost? adapter) => new(
        in context, Model, _heldCosts, CostModel.WorkWeightAt(_meanWaitMs), _pushedStreamMs, CostModel.KvShareAt(_meanWaitMs), bindAheadMs, nowMs, adapter, random);

    private CostChoice EndOfAll(in CostScan scan)
    {
        _meanWaitMs = scan.SumWaitMs / scan.Count;
        return End(in scan, 1 - (double)scan.ReadyCount / scan.Count);
    }

    private CostChoice End(in CostScan scan, double busyShare)
    {
        _pushedStreamMs = CostModel.PushedStreamMsAt(busyShare);
        var best = scan.Cheapest;
        var endpoint = endpoints.InSlot(best.Slot);
        // What waits for the cheapest counts only against one that is free and can take the prompt without harm to its streams: work that is done
        // there is lost to nobody, unless it is done twice.
        var idle = scan.CheapestReady;
        if (idle.Slot >= 0 && idle.Slot != best.Slot
            && idle.Cost + RepeatedWorkWeight * busyShare * busyShare * Math.Max(0, idle.TableMs - best.TableMs) < best.Cost + Ahead(endpoint, best.OwnMs))
        {
            best = idle;
            endpoint = endpoints.InSlot(best.Slot);
        }

        return new CostChoice(endpoint, best.Cost + endpoint.Work.QueuedMs * endpoints.Costs.Rows[best.Slot].Scale, best.OwnMs, best.TableMs, best.CachedTokens, scan.Count == 1);
    }

    /// <summary>The cheapest of the candidates, at most <paramref name="count"/>, the cheapest first. For people: it allocates. Draws no random number.</summary>
    public ImmutableArray<ExplainedCandidate> Explain(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, double nowMs, int count)
    {
        var best = new List<ExplainedCandidate>(count + 1);
        var adapter = Adapters.For(in context, nowMs, counts: false);
        foreach (var candidate in candidates)
        {
            var scan = Start(in context, double.PositiveInfinity, nowMs, adapter);
            ref readonly var row = ref endpoints.Costs.Rows[candidate.Slot];
            scan.Look(in context, candidate.Slot, in row, endpoints, context.HeldBy(candidate.Slot));
            var found = scan.Cheapest;
            if (best.Count == count && found.Cost >= best[^1].CostMs) continue;
            var at = best.Count;
            while (at > 0 && found.Cost < best[at - 1].CostMs) at--;
            best.Insert(at, new ExplainedCandidate(
                candidate.Id, found.Cost, row.WaitMs(nowMs), row.QueuedMs, found.OwnMs, found.CachedTokens, row.DecodeMs, row.RoundTripMs));
            if (best.Count > count) best.RemoveAt(count);
        }
        return [.. best];
    }

    // Of what waits for an endpoint, the shorter prompts go before this one: half of it for a prompt of average length.
    private static double Ahead(EndpointState endpoint, double ownMs)
    {
        if (endpoint.QueueCount == 0) return 0;
        var meanMs = endpoint.Work.QueuedMs / endpoint.QueueCount;
        return endpoint.Work.QueuedMs * Math.Min(1, ownMs / (2 * Math.Max(meanMs, 1e-9)));
    }

    /// <summary>Cost of an endpoint to the request that is next in its queue: by the same formula, without the queue behind it.</summary>
    public double CostOfNext(in SchedulingContext context, EndpointState endpoint, double nowMs)
    {
        var scan = Start(in context, double.PositiveInfinity, nowMs, Adapters.For(in context, nowMs, counts: false));
        scan.Look(in context, endpoint.Slot, in endpoints.Costs.Rows[endpoint.Slot], endpoints, context.HeldBy(endpoint.Slot));
        return scan.Cheapest.Cost;
    }
}
