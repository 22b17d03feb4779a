using Mesh.Core.Config;
using Mesh.Core.Regions.Links;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Sharding;

namespace Mesh.Core.Regions.Peers;

/// <summary>One peer region as one pool sees it: its link, its last report, what was sent there since, and what came from there.</summary>
internal sealed class Peer(string region, int number, TimeProvider time, RegionOptions options, long epoch)
{
    // A region of which nothing is known is taken for one on another continent.
    private const double UnknownRoundTripMs = 150;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private const int MostPauseDoublings = 3;
    private readonly WaitLadder _ladder = new();
    private TimeSpan _pausedUntil;
    private TimeSpan _heardAt;
    private int _failures;

    public string Region { get; } = region;

    /// <summary>Its place among the peers that sent prompts are remembered of.</summary>
    public int Number { get; } = number;

    public PeerLink Link { get; } = new(region, time, options);

    /// <summary>True for another shard of the own pool.</summary>
    public bool IsShard { get; } = ShardName.TryParse(region, out _);

    public CreditAccount Credits { get; private set; } = new(epoch);

    /// <summary>Requests ever forwarded there.</summary>
    public long Forwarded { get; private set; }

    public HotPrefixSet Hot { get; } = new();

    /// <summary>This pool's part of its last report; null before the first, or when it does not have the pool.</summary>
    public PoolReport? Report { get; private set; }

    /// <summary>Round trip as measured; null before.</summary>
    public TimeSpan? MeasuredRoundTrip { get; set; }

    public double RoundTripMs => MeasuredRoundTrip?.TotalMilliseconds ?? UnknownRoundTripMs;

    /// <summary>Endpoints of all tiers, and the healthy ones.</summary>
    public int Endpoints { get; private set; }

    public int Healthy { get; private set; }

    /// <summary>Prompt tokens that its caches hold together; where it does not tell, 27,000 blocks of 16 for each healthy endpoint.</summary>
    public long CacheTokens => Report is { CacheTokens: > 0 and var told } ? told : 432_000L * Math.Max(1, Healthy);

    /// <summary>True when it has preferred backends with a healthy endpoint.</summary>
    public bool HasPreferred { get; private set; }

    /// <summary>Capacity of all tiers that have a target; null when a tier with healthy endpoints has none.</summary>
    public double? Target { get; private set; }

    private double? Fullness { get; set; }

    private double Load { get; set; }

    /// <summary>Requests forwarded there that have not ended.</summary>
    public int InFlight => Credits.InFlight;

    /// <summary>Those of them whose answers have not begun.</summary>
    public int Awaited { get; private set; }

    /// <summary>Requests that came from there and are in flight here: counted by whoever keeps the leases.</summary>
    public int Hosted { get; set; }

    public long Refused { get; private set; }

    /// <summary>What came from there: the epoch that sends it, how many of it, and how many ever.</summary>
    public long ReceivedEpoch { get; private set; }

    public long ReceivedInEpoch { get; private set; }

    public long Received { get; private set; }

    /// <summary>What it may send here by the report made last: written by the one who makes reports.</summary>
    public PeerGrant Told { get; set; }

    /// <summary>What it may still send by that and the reports before.</summary>
    public GrantLedger Grants { get; } = new();

    /// <summary>Round trip, for how long what was granted before may be used.</summary>
    public TimeSpan RoundTrip => TimeSpan.FromMilliseconds(RoundTripMs);

    /// <summary>Wait of its least loaded endpoint, what was sent since the report included.</summary>
    public double WaitMs => _ladder.LeastMs;

    /// <summary>True when requests may go there at all, credits aside.</summary>
    public bool IsUsable(TimeSpan now) => Report is not null && Healthy > 0 && now >= _pausedUntil && Link.State == PeerLinkState.Fresh;

    /// <summary>True while it is heard and hears us.</summary>
    public bool IsConnected => Link.State == PeerLinkState.Fresh;

    /// <summary>True when it may have endpoints that serve a model.</summary>
    public bool Serves(string? model)
    {
        if (model is null || Report is not { Models.IsDefault: false } report) return true;
        var models = report.Models.AsSpan();
        var (low, high) = (0, models.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var order = string.CompareOrdinal(models[middle], model);
            if (order == 0) return true;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return false;
    }

    /// <summary>
    /// Its load over its target: what it reported, less what has ended since where the load is a rate, and what was sent there since, the next request included.
    /// Null without a target.
    /// </summary>
    public double? FullnessWithSent(TimeSpan now)
    {
        // Where the target is a utilization, each request is taken to weigh as much as those that are there.
        if (Target is not { } target) return Fullness * (1 + (Credits.OnTheirWay + 1) / Math.Max(1, Load));
        // A rate is counted over one second: of what was counted in it when the report was made, a part is over.
        var passed = Math.Min(1, (now - _heardAt).TotalSeconds + RoundTripMs / 1000);
        var load = CountsRates ? Load * (1 - passed) : Load;
        return (load + Credits.OnTheirWay + 1) / Math.Max(1e-9, target);
    }

    /// <summary>Sends under another epoch from now on, and nothing before the next report.</summary>
    public void BeginAccount(long epoch) => Credits = new CreditAccount(epoch, Credits.InFlight);

    /// <summary>When its last report came.</summary>
    public TimeSpan Heard => _heardAt;

    private bool CountsRates { get; set; }

    /// <summary>Takes a report's part; null: it does not have the pool.</summary>
    public void Apply(PoolReport? part, TimeSpan now)
    {
        Report = part;
        (Endpoints, Healthy, HasPreferred, Load, Target, Fullness, CountsRates) = (0, 0, false, 0, 0, null, false);
        _heardAt = now;
        if (part is null)
        {
            Credits.Close();
            return;
        }

        foreach (var tier in part.Tiers)
        {
            Endpoints += tier.Endpoints;
            Healthy += tier.Healthy;
            if (tier.Healthy == 0) continue;
            HasPreferred |= tier.Preference == BackendPreference.Preferred;
            Load += tier.Load;
            if (tier.Fullness is { } fullness && !(fullness <= Fullness)) Fullness = fullness;
            CountsRates |= tier.IsRate;
            Target += tier.TargetCapacity;
        }

        Credits.Apply(part, Awaited, now);
        _ladder.Reset(part, Healthy);
        Credits.AddOnTheirWay(_ladder);
        Hot.Replace(part.HotPrefixes);
    }

    /// <summary>A request is forwarded there.</summary>
    public void OnSent(double workMs, TimeSpan now)
    {
        Awaited++;
        Forwarded++;
        Credits.Send(workMs, now);
        _ladder.Add(workMs);
    }

    /// <summary>A request is there that was forwarded under an earlier state of the pool.</summary>
    public void OnAdopted(bool answered)
    {
        Credits.Adopt();
        if (!answered) Awaited++;
    }

    /// <summary>An answer from there has begun.</summary>
    public void OnFirstByte()
    {
        Awaited--;
        _failures = 0;
    }

    /// <summary>A forwarded request has ended, its lease has.</summary>
    public void OnEnded(bool answered)
    {
        Credits.End();
        if (!answered) Awaited--;
    }

    /// <summary>It refused a request: what it granted does not hold any more.</summary>
    public void OnRefused()
    {
        Refused++;
        Credits.Close();
    }

    /// <summary>A request did not get there, or no answer came back: the next ones wait a little, the longer the oftener this happens.</summary>
    public void OnFailed(TimeSpan now)
    {
        _pausedUntil = now + FirstPause * (1 << Math.Min(MostPauseDoublings, _failures));
        _failures++;
    }

    public void OnSucceeded() => _failures = 0;

    /// <summary>A request has come from there.</summary>
    public void OnReceived(long senderEpoch)
    {
        Received++;
        // An earlier run of the sender has no use for the count any more.
        if (senderEpoch < ReceivedEpoch) return;
        if (senderEpoch > ReceivedEpoch) (ReceivedEpoch, ReceivedInEpoch) = (senderEpoch, 0);
        ReceivedInEpoch++;
    }
}
