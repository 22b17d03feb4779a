using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Federation;

/// <summary>
/// What lies between the region's grain and one pool, or one shard of it: news of peers that the pool has not heard, and the pool's latest parts of the reports. One call is under
/// way at a time, and the next carries what came meanwhile. Thread-safe.
/// </summary>
internal sealed class PoolDesk(PoolId id, IPoolGrain grain, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, PeerNews> _news = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (PoolReport Part, byte[] Bytes)> _written = new(StringComparer.Ordinal);
    private Dictionary<string, PoolReport> _parts = new(StringComparer.Ordinal);
    private long _heardAt = time.GetTimestamp();
    private bool _isUnderWay;

    public PoolId Id => id;

    /// <summary>A peer's report has come.</summary>
    /// <param name="report">Its head.</param>
    /// <param name="part">This pool's part; null when the peer does not have the pool.</param>
    public void Note(RegionReport report, PoolReport? part)
    {
        lock (_gate)
        {
            // Most reports of an idle peer say what the last one said.
            byte[]? bytes = null;
            if (part is not null)
            {
                if (!_written.TryGetValue(report.Region, out var written) || !ReferenceEquals(written.Part, part)) written = (part, PartBytes.Write(part));
                _written[report.Region] = written;
                bytes = written.Bytes;
            }

            _news[report.Region] = Of(report.Region) with
            {
                HasReport = true,
                Instance = report.Instance,
                Sequence = report.Sequence,
                HeardAgeTicks = report.HeardAge?.Ticks,
                ConfigVersion = report.ConfigVersion,
                SoftwareVersion = report.SoftwareVersion,
                Part = bytes,
                IsLost = false,
            };
        }
    }

    public void NoteRoundTrip(string region, TimeSpan roundTrip)
    {
        lock (_gate) _news[region] = Of(region) with { RoundTripTicks = roundTrip.Ticks };
    }

    public void NoteLost(string region)
    {
        lock (_gate) _news[region] = Of(region) with { IsLost = true };
    }

    /// <summary>The pool's part of the report to a peer; null when it has not told it for too long.</summary>
    public PoolReport? Part(string receiver, TimeSpan mostAge)
    {
        lock (_gate) return time.GetElapsedTime(_heardAt) <= mostAge ? _parts.GetValueOrDefault(receiver) : null;
    }

    /// <summary>Tells the pool what is new and which epoch to send with, and hears how it is. Null when the last call is still under way, or failed.</summary>
    public async Task<PoolExchangeReply?> ExchangeAsync(string region, long epoch, string[] peers, long account)
    {
        PeerNews[] news;
        lock (_gate)
        {
            if (_isUnderWay) return null;
            _isUnderWay = true;
            news = [.. _news.Values];
            _news.Clear();
        }

        try
        {
            var reply = await grain.ExchangePeers(new PoolExchange { Region = region, Epoch = epoch, Peers = peers, News = news, Account = account }).ConfigureAwait(false);
            var parts = new Dictionary<string, PoolReport>(StringComparer.Ordinal);
            foreach (var part in reply.Parts)
            {
                if (PartBytes.Read(part.Bytes) is { } read) parts[part.Receiver] = read;
            }

            lock (_gate) (_parts, _heardAt, _isUnderWay) = (parts, time.GetTimestamp(), false);
            return reply;
        }
        catch (Exception e) when (GrainFailure.IsExpected(e) || e is InvalidDataException)
        {
            // Its silo may have died. What it has perhaps not heard is told again: a report that comes twice is passed over.
            lock (_gate)
            {
                foreach (var old in news) _news[old.Region] = _news.TryGetValue(old.Region, out var newer) ? Join(old, newer) : old;
                _isUnderWay = false;
            }

            return null;
        }
    }

    private static PeerNews Join(PeerNews old, PeerNews newer) =>
        newer.HasReport ? newer with { RoundTripTicks = newer.RoundTripTicks ?? old.RoundTripTicks }
        : old with { RoundTripTicks = newer.RoundTripTicks ?? old.RoundTripTicks, IsLost = old.IsLost || newer.IsLost };

    private PeerNews Of(string region) => _news.TryGetValue(region, out var known) ? known : new PeerNews { Region = region };
}
