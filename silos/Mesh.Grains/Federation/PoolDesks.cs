using Mesh.Core.Config;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Federation;

/// <summary>
/// What lies between the region's grain and one pool, however many shards that has: each has a desk, peers hear one report of them all, and what a peer grants is divided
/// among them. A pool that is not divided has one desk, and gets each report as it came. Thread-safe.
/// </summary>
internal sealed class PoolDesks(PoolId id, Func<int, IPoolGrain> shardOf, TimeProvider time, RegionOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CreditDivision> _divisions = new(StringComparer.Ordinal);
    private readonly SharedAccount _account = new();
    private volatile PoolDesk[] _desks = [new PoolDesk(id, shardOf(0), time)];
    private ShardMap _map = ShardMap.Undivided;

    public PoolId Id => id;

    /// <summary>A peer's report has come.</summary>
    /// <param name="report">Its head.</param>
    /// <param name="part">This pool's part; null when the peer does not have the pool.</param>
    public void Note(RegionReport report, PoolReport? part)
    {
        lock (_gate)
        {
            var desks = _desks;
            if (desks.Length == 1 || part is null)
            {
                foreach (var desk in desks) desk.Note(report, part);
                return;
            }

            var shares = DivisionOf(report.Region).Divide(part, desks.Length);
            for (var shard = 0; shard < desks.Length; shard++) desks[shard].Note(report, shares[shard]);
        }
    }

    public void NoteRoundTrip(string region, TimeSpan roundTrip)
    {
        foreach (var desk in _desks) desk.NoteRoundTrip(region, roundTrip);
    }

    public void NoteLost(string region)
    {
        foreach (var desk in _desks) desk.NoteLost(region);
    }

    /// <summary>Peers that there are from now on: what is known of others is forgotten.</summary>
    public void Keep(string[] peers)
    {
        lock (_gate)
        {
            foreach (var gone in _divisions.Keys.Except(peers).ToArray()) _divisions.Remove(gone);
        }
    }

    /// <summary>The pool's part of the report to a peer; null when no shard has told its own for too long.</summary>
    public PoolReport? Part(string receiver, TimeSpan mostAge)
    {
        var desks = _desks;
        if (desks.Length == 1) return desks[0].Part(receiver, mostAge);
        var parts = new List<PoolReport>(desks.Length);
        foreach (var desk in desks)
        {
            if (desk.Part(receiver, mostAge) is { } part) parts.Add(part);
        }

        return parts.Count == 0 ? null : ShardReports.Merge(parts);
    }

    /// <summary>Tells every shard what is new, and hears how it is. The epoch of the region's activation that has taken the place of the one that asks; 0 for none.</summary>
    public async Task<long> ExchangeAsync(string region, long epoch, string[] peers)
    {
        var desks = _desks;
        var exchanges = new Task<long>[desks.Length];
        for (var shard = 0; shard < exchanges.Length; shard++) exchanges[shard] = ExchangeAsync(desks[shard], shard, region, epoch, peers);
        var newest = 0L;
        foreach (var newer in await Task.WhenAll(exchanges).ConfigureAwait(false)) newest = Math.Max(newest, newer);
        return newest;
    }

    private async Task<long> ExchangeAsync(PoolDesk desk, int shard, string region, long epoch, string[] peers)
    {
        long account;
        lock (_gate) account = _account.Wanted;
        var askedAt = time.GetTimestamp();
        if (await desk.ExchangeAsync(region, epoch, peers, account).ConfigureAwait(false) is not { } reply) return 0;
        if (reply.IsSuperseded) return reply.RegionEpoch;
        lock (_gate)
        {
            Take(reply.Shards.ToMap());
            // A shard that is no more has been told nothing, and has nothing.
            if (shard < _desks.Length && ReferenceEquals(_desks[shard], desk)) Hear(desk, shard, reply, time.GetElapsedTime(askedAt));
        }

        return 0;
    }

    private void Hear(PoolDesk desk, int shard, PoolExchangeReply reply, TimeSpan askedBefore)
    {
        var state = 0L;
        foreach (var told in reply.Parts)
        {
            if (desk.Part(told.Receiver, TimeSpan.MaxValue) is not { } part) continue;
            state = part.Epoch;
            if (_desks.Length > 1) DivisionOf(told.Receiver).Hear(shard, new ShardAccount(reply.Account, told.Sent, told.Awaited, told.InFlight), part, askedBefore);
        }

        if (reply.Account != 0) _account.Hear(shard, state, reply.Account, _desks.Length);
    }

    private void Take(ShardMap map)
    {
        if (!map.IsValid || map.Version <= _map.Version) return;
        _map = map;
        var before = _desks;
        if (before.Length == map.Count) return;
        var after = new PoolDesk[map.Count];
        for (var shard = 0; shard < after.Length; shard++) after[shard] = shard < before.Length ? before[shard] : new PoolDesk(id, shardOf(shard), time);
        _account.Forget(from: after.Length);
        _desks = after;
    }

    private CreditDivision DivisionOf(string region)
    {
        if (!_divisions.TryGetValue(region, out var division)) _divisions.Add(region, division = new CreditDivision(time, options));
        return division;
    }
}
