using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Pools;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Federation;

/// <summary>
/// The engine that the region's hub sees: the pools' grains, wherever they run. It hears each of them a little more often than reports are due and when a
/// peer's report or a pool's change asks for it, and gives the hub what it heard last; the hub never waits for a grain. Thread-safe.
/// </summary>
internal sealed partial class RegionExchange : IRegionEngine, IAsyncDisposable
{
    private const int MostIntervalsOld = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(25);
    private readonly string _region;
    private readonly long _epoch;
    private readonly FederationSettings _settings;
    private readonly SiloConfiguration _configuration;
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ReportClock _clock;
    private readonly TimeSpan _mostAge;
    private readonly RegionOptions _options;
    private volatile string[] _peers;
    private volatile bool _hasHadPeers;
    private ConfigurationIndex? _seen;
    private volatile PoolDesks[] _desks = [];
    private volatile Action _report = static () => { };
    private long _reportedAt;
    private volatile bool _isAskedSooner;
    private long _supersededBy;

    public RegionExchange(string region, long epoch, FederationSettings settings, SiloConfiguration configuration, IGrainFactory grains, TimeProvider time, ILogger log)
    {
        (_region, _epoch, _settings, _configuration, _grains, _time, _log) = (region, epoch, settings, configuration, grains, time, log);
        _peers = [.. settings.Peers.Select(p => p.Region).Order(StringComparer.Ordinal)];
        _hasHadPeers = _peers.Length > 0;
        _mostAge = settings.ReportInterval * MostIntervalsOld;
        _options = new RegionOptions { ReportInterval = settings.ReportInterval };
        // A little sooner than the hub would report by itself: what it reports is then always fresh.
        _clock = new ReportClock(time, settings.ReportInterval * 0.9, settings.LeastInterval * 0.9, Due);
        _reportedAt = time.GetTimestamp();
        TakeConfiguration();
    }

    /// <summary>Epoch of the activation that has taken this one's place; 0 for none.</summary>
    public long SupersededBy => Interlocked.Read(ref _supersededBy);

    public void Start() => _clock.Start();

    /// <summary>A pool has changed so much that peers should hear of it now.</summary>
    public void Sooner()
    {
        _isAskedSooner = true;
        _clock.Wake();
    }

    public void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot)
    {
        _peers = [.. regions.Order(StringComparer.Ordinal)];
        _hasHadPeers |= !regions.IsEmpty;
        _report = reportSooner;
        foreach (var desk in _desks) desk.Keep(_peers);
        // The pools hear of it with the next exchange.
        _clock.Wake();
    }

    public ImmutableArray<PoolReport> BuildReport(string receiver)
    {
        var desks = _desks;
        var parts = ImmutableArray.CreateBuilder<PoolReport>(desks.Length);
        foreach (var desk in desks)
        {
            if (desk.Part(receiver, _mostAge) is { } part) parts.Add(part);
        }

        return parts.DrainToImmutable();
    }

    public void ApplyPeer(RegionReport report)
    {
        foreach (var desk in _desks)
        {
            PoolReport? part = null;
            foreach (var candidate in report.Pools)
            {
                if (candidate.Pool == desk.Id) part = candidate;
            }

            desk.Note(report, part);
        }

        // Requests may wait for it.
        _clock.Wake();
    }

    public void PeerLost(string region)
    {
        foreach (var desk in _desks) desk.NoteLost(region);
        _clock.Wake();
    }

    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
        foreach (var desk in _desks) desk.NoteRoundTrip(region, roundTrip);
    }

    public ValueTask DisposeAsync() => _clock.DisposeAsync();

    private void Due(TimeSpan passed)
    {
        TakeConfiguration();
        // Pools that have never heard of a peer need not hear that there is none.
        if (_hasHadPeers) _ = RoundAsync(_desks);
    }

    private async Task RoundAsync(PoolDesks[] desks)
    {
        try
        {
            var sooner = _isAskedSooner;
            if (sooner) _isAskedSooner = false;
            var calls = new Task[desks.Length];
            for (var i = 0; i < calls.Length; i++) calls[i] = HearAsync(desks[i]);
            // One that does not answer keeps nobody waiting.
            await Task.WhenAny(Task.WhenAll(calls), Task.Delay(Patience)).ConfigureAwait(false);
            if (!sooner && _time.GetElapsedTime(Interlocked.Read(ref _reportedAt)) < _settings.ReportInterval * 0.8) return;
            Interlocked.Exchange(ref _reportedAt, _time.GetTimestamp());
            _report();
        }
        catch (Exception e)
        {
            RoundFailed(_log, e, _region);
        }
    }

    private async Task HearAsync(PoolDesks desk)
    {
        if (await desk.ExchangeAsync(_region, _epoch, _peers).ConfigureAwait(false) is > 0 and var newer) Interlocked.Exchange(ref _supersededBy, newer);
    }

    private void TakeConfiguration()
    {
        var current = _configuration.Current;
        if (ReferenceEquals(current, _seen)) return;
        _seen = current;
        var before = _desks.ToDictionary(d => d.Id);
        _desks = [.. current.Config.Pools.OrderBy(p => p.Id).Select(p => before.TryGetValue(p.Id, out var desk) ? desk : Desk(p.Id))];
    }

    private PoolDesks Desk(PoolId id) => new(id, shard => _grains.GetGrain<IPoolGrain>(PoolKey.Of(id, shard)), _time, _options);

    [LoggerMessage(1, LogLevel.Error, "Region {Region}: hearing the pools failed.")]
    private static partial void RoundFailed(ILogger log, Exception e, string region);
}
