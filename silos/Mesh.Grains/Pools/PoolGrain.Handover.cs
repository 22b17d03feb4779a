using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Pools;

// Moving to another silo while both live: the next activation knows what this one knew, and places requests at once.
internal sealed partial class PoolGrain : IGrainMigrationParticipant
{
    private readonly Dictionary<GatewaySession, HeldLease[]> _takenOver = [];
    private PoolHandover? _handover;
    private bool _hasTakenOver;

    /// <summary>Moves to another silo as soon as no call is under way; ends when it has left this one. Thread-safe.</summary>
    public Task MoveTo(SiloAddress silo)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        MigrateOnIdle();
        return GrainContext.Deactivated;
    }

    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (_handover is not null) dehydrationContext.TryAddValue("mesh.pool", _handover);
    }

    public void OnRehydrate(IRehydrationContext rehydrationContext) => rehydrationContext.TryGetValue("mesh.pool", out _handover);

    // The state is still whole, and no call is under way.
    private PoolHandover? WriteHandover()
    {
        if (_host is null || _isSuperseded) return null;
        var sessions = _host.Leases(null, null, int.MaxValue).GroupBy(l => l.Session)
            .Select(s => new SessionHandover(s.Key, [.. s.Select(l => new HeldLease(l.Id, l.Endpoint, l.PromptTokens, l.OutputTokens, l.FirstByteSeen))]));
        return new PoolHandover
        {
            Epoch = _epoch,
            Endpoints = EndpointHints.Of(_host.Snapshot(), mesh.Time, mesh.Options.Engine.SampleMaxAge),
            Sessions = [.. sessions],
            WaitingCalls = _host.WaitingCalls,
            Shards = _member.Map,
            HasAllOfShard = !_member.IsAwaiting,
        };
    }

    private void TakeOver(PoolHandover handover)
    {
        if (_host is null) return;
        foreach (var news in handover.Endpoints)
        {
            _told.Add(news.Endpoint);
            _endpoints!.SetResting(news.Endpoint, news.IsResting);
            Take(news);
        }

        var leases = 0;
        foreach (var session in handover.Sessions)
        {
            leases += _host.Announce(session.Session, session.Held);
            _takenOver[session.Session] = session.Held;
        }

        // Nothing that is taken seems free. Only where requests wait must all gateways have their say first: they came before whoever asks now.
        _hasTakenOver = handover.WaitingCalls == 0;
        TookOver(logger, _id, _epoch, handover.Epoch, leases, handover.Endpoints.Length);
    }

    // What its last activation placed and the gateway never heard of is asked again, and what it has completed since it will not tell again.
    private void GiveBackWhatIsNotHeld(GatewaySession session, HeldLease[] held)
    {
        if (!_takenOver.Remove(session, out var before) || before.Length == 0) return;
        var known = held.Select(h => h.Lease).ToHashSet();
        foreach (var lease in held)
        {
            // Its answer may have begun while it was handed over.
            if (lease.FirstByteSeen) _host!.ReportFirstByte(lease.Lease);
        }
        foreach (var lease in before)
        {
            if (!known.Contains(lease.Lease)) _host!.Complete(lease.Lease, new RequestOutcome(OutcomeKind.NotSent));
        }
    }

    [LoggerMessage(6, LogLevel.Information, "Pool {Pool}: epoch {Epoch} takes over from {Before}: {Leases} leases, {Endpoints} endpoints.")]
    private static partial void TookOver(ILogger logger, Core.Config.PoolId pool, long epoch, long before, int leases, int endpoints);
}
