using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Regions;

/// <summary>What keeps the regions' pools up to date: reports between them, the passing of time, and their endpoints' gauges.</summary>
internal sealed class RegionReports(RegionStage stage)
{
    private const double HeartbeatMs = 1000;

    /// <summary>Acts on what a pool has decided of a request that waited.</summary>
    public delegate void DecidedHandler(RegionSite site, long ticket, in RouteDecision decision);

    /// <inheritdoc cref="DecidedHandler"/>
    public required DecidedHandler OnDecided { get; init; }

    /// <summary>A region has started.</summary>
    public void Begin(RegionSite site)
    {
        if (stage.IsOmniscient) return;
        stage.Add(stage.NowMs, RegionEventKind.Wake, site.Number, site.WakeVersion, null);
        // Not all at one moment.
        if (stage.Options.HasPeers) stage.Add(stage.NowMs + (stage.Options.ReportIntervalMs * site.Number / stage.Options.Regions), RegionEventKind.ReportsDue, site.Number, site.Run, null);
        if (stage.Options.Scrapes && site.Run == 1) stage.Add(stage.NowMs, RegionEventKind.Scrape, site.Number, 0, null);
    }

    /// <summary>A region's reports are due.</summary>
    public void OnDue(int region, int run)
    {
        var site = stage.Sites[region];
        if (!site.IsAlive || site.Run != run) return;
        SendReports(site);
        stage.Add(stage.NowMs + stage.Options.ReportIntervalMs, RegionEventKind.ReportsDue, region, run, null);
    }

    /// <summary>A region asked for this moment, unless it has asked for another since.</summary>
    public void OnWake(int region, int version)
    {
        if (stage.Sites[region].IsAlive && stage.Sites[region].WakeVersion == version) Wake(stage.Sites[region]);
    }

    /// <summary>A report gets to a peer.</summary>
    public void OnReport(int from, int to, RegionReport report)
    {
        var site = stage.Sites[to];
        if (!site.IsAlive || stage.Links.IsCut(from, to)) return;
        stage.Judge.OnReport(from, to, report.Pools[0]);
        site.Hear(from, report);
        After(site);
    }

    /// <summary>What every call of a region's pool is followed by.</summary>
    public void After(RegionSite site)
    {
        while (site.Pool.TryTakeDecided(out var ticket, out var decision)) OnDecided(site, ticket, in decision);
        if (site.Pool.WaitsForTime) WakeAt(site, stage.NowMs + 1);
        if (stage.Options.HasPeers && site.Pool.NeedsReportSooner) SendReports(site);
        if (stage.Options.IsJudged) stage.Judge.OnState(stage.NowMs, site);
    }

    /// <summary>Reads the gauges of one of a region's endpoints, and then of the next.</summary>
    public void Scrape(int region, int endpoint)
    {
        var next = endpoint + 1 == stage.Options.EndpointsPerRegion ? 0 : endpoint + 1;
        stage.Add(stage.NowMs + (200.0 / stage.Options.EndpointsPerRegion), RegionEventKind.Scrape, region, next, null);
        var site = stage.Sites[region];
        if (!site.IsAlive) return;
        var engine = stage.Engines[region * stage.Options.EndpointsPerRegion + endpoint];
        engine.CatchUp(stage.NowMs);
        site.Pool.Apply(new EndpointSample
        {
            Endpoint = RegionWorldOptions.EndpointOf(region, endpoint),
            Timestamp = stage.Clock.GetTimestamp(),
            KvUtilizationRatio = engine.KvUtilizationRatio,
            RunningRequests = engine.Running,
            WaitingRequests = engine.Waiting,
            KvCapacityTokens = (long)engine.Options.NumGpuBlocks * engine.Options.BlockSize,
        });
        After(site);
    }

    private void SendReports(RegionSite site)
    {
        if (site.IsSilent) return;
        site.ReportedMs = stage.NowMs;
        var made = new List<PoolReport>(stage.Sites.Length);
        for (var to = 0; to < stage.Sites.Length; to++)
        {
            if (to == site.Number) continue;
            var report = site.ReportTo(to);
            made.Add(report.Pools[0]);
            if (!stage.Links.IsCut(site.Number, to)) stage.Add(stage.Links.ReportArrivalMs(site.Number, to, stage.NowMs), RegionEventKind.ReportArrives, site.Number, to, report);
        }

        if (stage.Options.IsJudged) stage.Judge.OnGranted(stage.NowMs, site.Number, made);
    }

    /// <summary>A region's pool is told that its gateway lives, and what time it is.</summary>
    public void Wake(RegionSite site)
    {
        site.WakeMs = double.PositiveInfinity;
        site.Pool.Heartbeat(site.Session);
        var next = site.Pool.Tick();
        var inMs = next is { } time ? Math.Clamp(time.TotalMilliseconds, 1, HeartbeatMs) : HeartbeatMs;
        WakeAt(site, stage.NowMs + inMs);
        After(site);
    }

    private void WakeAt(RegionSite site, double timeMs)
    {
        if (timeMs >= site.WakeMs) return;
        site.WakeMs = timeMs;
        stage.Add(timeMs, RegionEventKind.Wake, site.Number, ++site.WakeVersion, null);
    }
}
