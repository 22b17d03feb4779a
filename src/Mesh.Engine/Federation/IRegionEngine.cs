using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;

namespace Mesh.Engine.Federation;

/// <summary>
/// What an engine does for the exchange between regions: it says how its pools are, and takes what peers say of theirs. Thread-safe; no call waits.
/// </summary>
public interface IRegionEngine
{
    /// <summary>Sets the peer regions of every pool, of those to come too.</summary>
    /// <param name="regions">Their names.</param>
    /// <param name="reportSooner">Called when peers should hear of a change before the next report is due; from any thread, often, and must return at once.</param>
    /// <param name="snapshot">Gives the state of the links, for <see cref="IMeshEngine.Peers"/>.</param>
    void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot);

    /// <summary>The parts of the report to a peer, one for each pool, ordered by id.</summary>
    /// <param name="receiver">Region that gets it.</param>
    ImmutableArray<PoolReport> BuildReport(string receiver);

    /// <summary>Takes a peer's report.</summary>
    void ApplyPeer(RegionReport report);

    /// <summary>The stream of a peer's reports has broken.</summary>
    void PeerLost(string region);

    /// <summary>Takes the round trip of a peer's link as measured last.</summary>
    void ApplyRoundTrip(string region, TimeSpan roundTrip);
}
