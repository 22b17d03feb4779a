using System.Runtime.InteropServices;
using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Metrics;
using Mesh.Core.PrefixCache;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Endpoints;

/// <summary>
/// One endpoint of a pool: what is in flight there, exactly, and what its probes, samples and model list last said. It changes in place,
/// so that a lease can hold on to it while configurations come and go.
/// </summary>
internal sealed partial class EndpointState(EndpointId id, CostTable costs, int slot)
{
    // 27,000 blocks of 16 tokens: an 80 GB accelerator with a model of 8 billion parameters.
    private const long DefaultKvCapacityTokens = 432_000;

    /// <summary>Place in the order of readiness; −1 when nobody waits for it.</summary>
    public int ReadyIndex = -1;
    private WaitQueue? _queue;
    private EndpointAdapters? _adapters;
    private double? _engineStarted;
    private HealthTracker _health;
    private FailureLoad _failures;
    private OutlierDetector _outlier;
    private long _lastProbe = long.MinValue;
    private EndpointReadings _readings;
    private long _inFlightTokensAtSample;

    public EndpointId Id { get; } = id;

    /// <summary>Backend of the configuration that named the endpoint last.</summary>
    public required BackendConfig Backend { get; set; }

    public required string PodName { get; set; }

    /// <summary>True once the configuration no longer names it: its leases stay valid, new ones it gets none.</summary>
    public bool Draining { get; set; }

    /// <summary>True while an operator drains it: the configuration names it, and it is none of those that requests are placed on.</summary>
    public bool Drained { get; set; }

    /// <summary>Index of its backend in the configuration; −1 once the configuration no longer names it, and while it is drained.</summary>
    public int BackendIndex { get; private set; } = -1;

    /// <summary>Its number in the pool, from 0; a removed endpoint's number is given to a later one.</summary>
    public int Slot => slot;

    /// <summary>Predicted work outstanding.</summary>
    public EndpointWork Work { get; } = new(costs, slot);

    /// <summary>Requests that wait for this endpoint.</summary>
    public WaitQueue Queue => _queue ??= new WaitQueue();

    /// <summary>How many those are.</summary>
    public int QueueCount => _queue?.Count ?? 0;

    /// <summary>When the first of them may be sent, in milliseconds since the pool's start.</summary>
    public double ReadyAtMs { get; set; }

    /// <summary>True until it has been found healthy for the first time, beside others that were so when it was named.</summary>
    public bool IsNewcomer { get; set; }

    /// <summary>True while its share rises; see <see cref="SlowStart"/>.</summary>
    public bool IsStarting => !double.IsNaN(RampFromMs);

    /// <summary>When its share began to rise, in milliseconds since the pool's start; NaN while it does not.</summary>
    public double RampFromMs { get; private set; } = double.NaN;

    /// <summary>Placements that it has earned while its share rises.</summary>
    public double RampCredit { get; set; }

    /// <summary>True while others are to be chosen before it, as it has had its share.</summary>
    public bool IsHeldBack
    {
        get;
        set
        {
            if (field == value) return;
            field = value;
            UpdateReady();
        }
    }

    /// <summary>Healthy, not ejected, and in the configuration.</summary>
    public bool IsReady => costs.Rows[slot].IsReady;

    /// <summary>Tokens that its KV cache holds.</summary>
    public long KvCapacityTokens => LastSample?.KvCapacityTokens ?? DefaultKvCapacityTokens;

    /// <summary>The same as told by the endpoint; 0 while it has not.</summary>
    public long KnownKvCapacityTokens => LastSample?.KvCapacityTokens ?? 0;

    /// <summary>
    /// Tokens that its KV cache is expected to need: those of the requests in flight, their answers included, or, where the last sample tells of
    /// more (other gateways send there too), what it told and what was sent since.
    /// </summary>
    public long ExpectedKvTokens(SampleFreshness freshness)
    {
        var used = KvUtilization(freshness);
        if (double.IsNaN(used)) return InFlightTokens;
        var told = (long)(used * KvCapacityTokens) + Math.Max(0, InFlightTokens - _inFlightTokensAtSample);
        return Math.Max(InFlightTokens, told);
    }

    /// <summary>Index among its backend's endpoints.</summary>
    public int IndexInBackend { get; set; }

    /// <summary>A hash of its id, the same on every machine: who is chosen for a session depends on nothing else.</summary>
    public ulong IdHash { get; } = PromptHasher.SeedOf(MemoryMarshal.AsBytes(id.Address.AsSpan()));

    /// <summary>How often the source of what is known of its cache has changed.</summary>
    public long CacheKnowledgeChanges { get; set; }

    /// <summary>Set by a filter that looks for listed endpoints; see <see cref="EndpointTable.Mark"/>.</summary>
    public long Mark { get; set; }

    public int InFlightRequests { get; private set; }

    public long InFlightTokens { get; private set; }

    /// <summary>Prompt tokens of the requests that have not answered yet.</summary>
    public long InFlightPrefillTokens { get; private set; }

    /// <summary>Requests ever reserved here.</summary>
    public long TotalRequests { get; private set; }

    /// <summary>Models that it lists; null when it has not told.</summary>
    public ModelName[]? Models { get; set; }

    public EndpointSample? LastSample => _readings.Last;

    /// <summary>Requests that were in flight when the last sample came.</summary>
    public int InFlightAtSample { get; private set; }

    /// <summary>What the prober says, and unhealthy while the engine sleeps: it answers its probes, and no requests.</summary>
    public EndpointHealth Health => IsAsleep && _health.Verdict == EndpointHealth.Healthy ? EndpointHealth.Unhealthy : _health.Verdict;

    /// <summary>What the last sample says; a page that fails to come leaves that to the prober.</summary>
    public bool IsAsleep => LastSample?.IsAsleep ?? false;

    /// <summary>True while it is left alone for failing requests.</summary>
    public bool IsEjected => _outlier.IsEjected;

    /// <summary>End of its last ejection, since the pool's start.</summary>
    public TimeSpan EjectedUntil => _outlier.EjectedUntil;

    /// <summary>Ejections ever.</summary>
    public int Ejections => _outlier.Ejections;

    /// <summary>Takes the end of a request; true when the endpoint should be left alone.</summary>
    public bool ObserveEnd(bool failed, TimeSpan now, EjectionOptions options) => _outlier.Observe(failed, now, options);

    /// <summary>Leaves it alone for a while.</summary>
    public void Eject(TimeSpan now, EjectionOptions options)
    {
        _outlier.Eject(now, options);
        UpdateReady();
    }

    /// <summary>Lets it take requests again.</summary>
    public void Return(TimeSpan now)
    {
        _outlier.Return(now);
        UpdateReady();
    }

    /// <summary>Its share begins to rise. The first request it may have at once.</summary>
    public void BeginRamp(double nowMs)
    {
        (RampFromMs, RampCredit) = (nowMs, 1);
        IsHeldBack = false;
    }

    /// <summary>It has its whole share.</summary>
    public void EndRamp()
    {
        RampFromMs = double.NaN;
        IsHeldBack = false;
    }

    public void Reserve(LeaseLoad load, bool firstByteSeen = false)
    {
        InFlightRequests++;
        InFlightTokens += load.Tokens;
        if (!firstByteSeen) InFlightPrefillTokens += load.PromptTokens;
        TotalRequests++;
        if (load.Adapter is null) return;
        (_adapters ??= new EndpointAdapters()).Add(load.Adapter);
        costs.AdapterChanges?.Note(slot);
    }

    public void EndPrefill(LeaseLoad load) => InFlightPrefillTokens -= load.PromptTokens;

    public void Release(in EndedLease ended)
    {
        InFlightRequests--;
        InFlightTokens -= ended.Load.Tokens;
        if (!ended.FirstByteSeen) InFlightPrefillTokens -= ended.Load.PromptTokens;
        if (ended.Load.Adapter is null) return;
        _adapters!.Remove(ended.Load.Adapter);
        costs.AdapterChanges?.Note(slot);
    }

    public void AddFailure(double weight, LeaseLoad load, Decay decay)
    {
        _failures.Add(weight, load.Tokens, decay);
        costs[slot].HasFailures = true;
    }

    /// <summary>Tells the choice by cost where this endpoint belongs now, and whether it may be chosen.</summary>
    /// <param name="backend">Index of its backend; −1 for none.</param>
    /// <param name="roundTripMs">Round trip from the deciding gateway.</param>
    /// <param name="scale">1 / capacity scaler of the backend.</param>
    public void Place(int backend, double roundTripMs, double scale)
    {
        BackendIndex = backend;
        ref var row = ref costs[slot];
        row.Backend = backend;
        row.RoundTripMs = roundTripMs;
        row.Scale = (float)scale;
        UpdateReady();
    }

    /// <summary>Requests in flight, recent failures counted in.</summary>
    public double LoadInRequests(Decay decay) => InFlightRequests + _failures.Requests(decay);

    /// <summary>Tokens in flight, recent failures counted in.</summary>
    public double LoadInTokens(Decay decay) => InFlightTokens + _failures.Tokens(decay);

    public double FailureRequests(Decay decay) => _failures.Requests(decay);

    /// <summary>What it told of its load beside an answer, last; null when it never has.</summary>
    public EndpointReport? LastReport => _readings.LastReport;

    /// <summary>Timestamp from which the last sample ages.</summary>
    public long SampleAgesFrom => _readings.AgesFrom;

    /// <summary>True, once, when a sample shows that another engine has started since the one before it that told.</summary>
    public bool TakeRestart(EndpointSample sample)
    {
        if (sample.EngineStarted is not { } started) return false;
        var before = _engineStarted;
        _engineStarted = started;
        if (before is null || before == started) return false;
        _adapters?.ForgetLoaded();
        costs.AdapterChanges?.Note(slot);
        return true;
    }

    /// <summary>Requests with a LoRA adapter that are in flight.</summary>
    public int AdapterRequests(string adapter) => _adapters?.RequestsOf(adapter) ?? 0;

    /// <summary>LoRA adapters that have run there and may still be loaded.</summary>
    public int KnownAdapters => _adapters?.Count ?? 0;

    /// <summary>One of those.</summary>
    public string KnownAdapter(int index) => _adapters![index];

    /// <summary>The last sample while it counts for adapters; null when it does not.</summary>
    public EndpointSample? FreshSample(SampleFreshness freshness) => _readings.FreshSample(freshness);

    /// <summary>How ready it is for a LoRA adapter.</summary>
    public AdapterState AdapterState(string adapter, SampleFreshness freshness) => (_adapters ??= new EndpointAdapters()).StateOf(adapter, _readings.FreshSample(freshness));

    /// <summary>Share of KV-cache blocks in use, 0–1; NaN when unknown or stale.</summary>
    public double KvUtilization(SampleFreshness freshness) => _readings.KvUtilization(freshness);

    /// <summary>Requests in the engine's own queue; NaN when unknown or stale.</summary>
    public double WaitingRequests(SampleFreshness freshness) => _readings.WaitingRequests(freshness);

    /// <summary>Requests in the engine's running batch; NaN when unknown or stale.</summary>
    public double RunningRequests(SampleFreshness freshness) => _readings.RunningRequests(freshness);

    private void UpdateReady()
    {
        var isReady = BackendIndex >= 0 && Health == EndpointHealth.Healthy && !IsEjected;
        ref readonly var known = ref costs.Rows[slot];
        // Most samples change nothing about it, and a row that is asked for to be changed is looked at again.
        if (known.IsReady == isReady && known.MayBeChosen == (isReady && !IsHeldBack)) return;
        costs.SetReady(slot, isReady, isReady && !IsHeldBack);
    }

    internal readonly struct ByReadiness : IHeapOrder<EndpointState>
    {
        public static bool IsBefore(EndpointState a, EndpointState b) => a.ReadyAtMs != b.ReadyAtMs ? a.ReadyAtMs < b.ReadyAtMs : a.Slot < b.Slot;

        public static ref int IndexOf(EndpointState item) => ref item.ReadyIndex;
    }
}
