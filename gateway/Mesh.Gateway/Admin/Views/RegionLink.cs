using System.Collections.Immutable;
using Mesh.Engine;
using Mesh.Engine.Federation;

namespace Mesh.Gateway.Admin.Views;

/// <summary>How the link to a peer region is.</summary>
/// <param name="Region">The region.</param>
/// <param name="State"><c>connecting</c>, <c>reachable</c>, <c>stale</c>, <c>unreachable</c> or <c>refused</c>.</param>
/// <param name="RoundTripMs">Round trip in milliseconds; null while unknown.</param>
/// <param name="CreditRequests">Requests that it lets this region send before its next report; null while none is sent there.</param>
/// <param name="ForwardedRequests">Requests sent there that are under way.</param>
/// <param name="ReportAgeSeconds">Age of its last report; null before the first.</param>
internal sealed record RegionLink(string Region, string State, double? RoundTripMs, double? CreditRequests, int ForwardedRequests, double? ReportAgeSeconds)
{
    /// <summary>Links to the peer regions that an engine knows of, in its order; none without federation.</summary>
    public static ImmutableArray<RegionLink> Of(IMeshEngine engine) =>
    [
        .. engine.Peers().Select(p => new RegionLink(
            p.Region, WordFor(p.State), p.RoundTrip?.TotalMilliseconds, p.State == PeerReach.Healthy ? p.Credits : null, p.Forwarded, p.ReportAge?.TotalSeconds)),
    ];

    private static string WordFor(PeerReach state) => state switch
    {
        PeerReach.Connecting => "connecting",
        PeerReach.Healthy => "reachable",
        PeerReach.Suspect => "stale",
        PeerReach.Refused => "refused",
        _ => "unreachable",
    };
}
