using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// One pass over endpoints: their costs for one request, and the cheapest of all and of those that could begin at once. What only depends
/// on how much of the prompt an endpoint holds is computed once for each amount.
/// </summary>
internal ref struct CostScan
{
    // A failure within the last seconds weighs as much as this for every request that it counts as.
    private const double FailureMs = 100;
    private readonly AdapterCost? _adapter;
    private readonly WorkCurve _curve;
    private readonly CostModel _model;
    private readonly Xoshiro256 _random;
    private readonly double _workWeight;
    private readonly double _pushedStreamMs;
    private readonly double _kvShare;
    private readonly double _bindAheadMs;
    private readonly double _nowMs;
    private readonly int _promptTokens;
    private readonly Span<HeldCost> _byHeld;
    private readonly long _decision;
    private double _limit = double.PositiveInfinity;

    public CostScan(
        in SchedulingContext context, CostModel model, HeldCosts heldCosts, double workWeight, double pushedStreamMs, double kvShare, double bindAheadMs, double nowMs,
        AdapterCost? adapter, Xoshiro256 random)
    {
        _adapter = adapter;
        (_byHeld, _decision) = heldCosts.Start(context.Layout.MaxBlocks);
        _promptTokens = Math.Max(1, context.Request.PromptTokens);
        _curve = model.Curve;
        _model = model;
        _workWeight = workWeight;
        _pushedStreamMs = pushedStreamMs;
        _kvShare = kvShare;
        _bindAheadMs = bindAheadMs;
        _nowMs = nowMs;
        _random = random;
    }

    /// <summary>Endpoints looked at.</summary>
    public int Count { get; private set; }

    /// <summary>Those of them that could begin at once.</summary>
    public int ReadyCount { get; private set; }

    /// <summary>Sum of their waits.</summary>
    public double SumWaitMs { get; private set; }

    /// <summary>The cheapest.</summary>
    public Found Cheapest = Found.Nothing;

    /// <summary>The cheapest that could begin at once and would push no stream over its target; slot −1 when there is none.</summary>
    public Found CheapestReady = Found.Nothing;

    /// <summary>Where the endpoints are that are looked at now: equal ones replace each other within a group only.</summary>
    public int Group { get; set; }

    /// <summary>False where no endpoint of a block can be cheaper than what was found.</summary>
    /// <param name="block">The block.</param>
    /// <param name="boundMs">What none of its endpoints costs less than.</param>
    public readonly bool MayFindIn(in CostBlock block, double boundMs)
    {
        // Those within half of what counts as equal could not replace what was found: the other half is for the last digits of the sums.
        const double AsGood = Found.TieMs / 2;
        if (!(boundMs >= Cheapest.Cost - AsGood)) return true;
        return boundMs < CheapestReady.Cost - AsGood && block.FreeUntilMs - _nowMs < _bindAheadMs;
    }

    /// <summary>Looks at one endpoint that holds so many blocks of the prompt.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Look(in SchedulingContext context, int slot, ref readonly CostRow row, EndpointTable endpoints, int held)
    {
        ref var prompt = ref _byHeld[held];
        if (prompt.Decision != _decision) Work(in context, held, ref prompt);
        var wait = row.WaitMs(_nowMs);
        Count++;
        SumWaitMs += wait;
        var besides = prompt.Steps * row.StepIncrementMs;
        var work = prompt.TableMs + besides;
        var own = prompt.TableMs * row.PrefillSpeed + besides;
        var cost = (wait + own + _workWeight * work) * row.Scale + row.DecodeMs + row.RoundTripMs;
        var ready = wait < _bindAheadMs && row.QueuedMs <= 0;
        if (ready) ReadyCount++;
        // Most endpoints are out of the running before what only adds to their cost is looked at.
        if (cost <= _limit) Consider(in context, slot, in row, endpoints, cost, wait, own, work, prompt.CachedTokens, ready);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Consider(
        in SchedulingContext context, int slot, in CostRow row, EndpointTable endpoints, double cost, double wait, double own, double work, int cached, bool ready)
    {
        if (_adapter is not null) cost += _adapter.Of(slot);
        if (row.HasFailures) cost += FailureMs * endpoints.InSlot(slot).FailureRequests(context.FailureDecay);
        if (row.HasStreams)
        {
            var endpoint = endpoints.InSlot(slot);
            var pushed = endpoint.Work.PushedOver(wait, own, _promptTokens - cached, _nowMs, _model);
            cost += _pushedStreamMs * pushed;
            ready &= pushed == 0;
            cost += _kvShare * CostModel.KvShortageMs(endpoint.KnownKvCapacityTokens, endpoint.ExpectedKvTokens(context.Freshness) + _promptTokens - cached);
        }
        if (cost <= Cheapest.Cost + Found.TieMs) Cheapest.Offer(slot, Group, cost, own, work, cached, _random);
        if (ready && cost <= CheapestReady.Cost + Found.TieMs) CheapestReady.Offer(slot, Group, cost, own, work, cached, _random);
        _limit = Math.Max(Cheapest.Cost, CheapestReady.Cost) + Found.TieMs;
    }

    private readonly void Work(in SchedulingContext context, int held, ref HeldCost prompt)
    {
        // Even a prompt that is cached as a whole has its last token computed.
        prompt.CachedTokens = Math.Min(context.Layout.TokensIn(held), _promptTokens - 1);
        prompt.TableMs = _curve.PromptMs(_promptTokens - prompt.CachedTokens, prompt.CachedTokens);
        prompt.Steps = WorkCurve.Steps(_promptTokens - prompt.CachedTokens);
        prompt.Decision = _decision;
    }

    /// <summary>The cheapest so far; equal ones replace each other so that each has the same chance in the end.</summary>
    internal struct Found
    {
        public const double TieMs = 1e-6;
        public int Slot;
        public double Cost;
        public double OwnMs;
        public double TableMs;
        public int CachedTokens;
        private int _group;
        private int _ties;

        public static Found Nothing => new() { Slot = -1, Cost = double.PositiveInfinity };

        public void Offer(int slot, int group, double cost, double ownMs, double tableMs, int cachedTokens, Xoshiro256 random)
        {
            if (cost < Cost - TieMs)
            {
                _ties = 1;
                _group = group;
                Cost = cost;
            }
            else if (group != _group || random.NextInt32(++_ties) != 0)
            {
                return;
            }

            (Slot, OwnMs, TableMs, CachedTokens) = (slot, ownMs, tableMs, cachedTokens);
        }
    }
}
