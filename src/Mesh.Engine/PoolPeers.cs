using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Sharding;

namespace Mesh.Engine;

/// <summary>What a pool and its peer regions tell each other. Thread-safe.</summary>
internal sealed class PoolPeers(LockedPool pool)
{
    /// <summary>Sets the peer regions, and whom to tell when they should hear of the pool sooner.</summary>
    public void Set(ImmutableArray<string> regions, Action reportSooner)
    {
        lock (pool.Gate)
        {
            pool.State.SetPeers(regions.AsSpan());
            pool.ReportSooner = reportSooner;
        }
    }

    /// <summary>This pool's part of the report to a peer.</summary>
    public PoolReport BuildReport(string receiver)
    {
        lock (pool.Gate) return pool.State.BuildReport(receiver);
    }

    /// <summary>Epoch that requests to other regions are sent with: see <see cref="Core.Routing.PoolState.Account"/>.</summary>
    public long Account
    {
        get
        {
            lock (pool.Gate) return pool.State.Account;
        }
    }

    /// <summary>Sends to other regions under another epoch from now on: see <see cref="Core.Routing.PoolState.BeginAccount"/>.</summary>
    public void BeginAccount(long epoch)
    {
        lock (pool.Gate) pool.State.BeginAccount(epoch);
    }

    /// <summary>How the account with a region stands.</summary>
    public ShardAccount AccountWith(string region)
    {
        lock (pool.Gate) return pool.State.AccountWith(region);
    }

    /// <summary>Takes a peer's report; requests that wait may go there now.</summary>
    public void Apply(RegionReport report, PoolReport? part) =>
        pool.Change((report, part), static (state, with) => state.ApplyPeer(with.report, with.part));

    /// <summary>The stream of a peer's reports has broken.</summary>
    public void Lost(string region) => pool.Change(region, static (state, region) => state.PeerLost(region));

    /// <summary>Takes the round trip to a peer.</summary>
    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
        lock (pool.Gate) pool.State.ApplyRoundTrip(region, roundTrip);
    }
}
