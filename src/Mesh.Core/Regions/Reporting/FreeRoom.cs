using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// Requests that an endpoint without a target has room for: as many as begin to be computed there within a second and find room in its KV cache besides those that
/// are there. Where caches are full, prompts wait for streams to end however little there is to compute, and regions that granted room by the work outstanding alone
/// sent each other what neither could hold.
/// </summary>
internal static class FreeRoom
{
    private const double BeginsWithinMs = 1000;
    private const double Most = 64;

    /// <summary>How many.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="waitMs">Work outstanding there.</param>
    /// <param name="typicalMs">Work of a typical prompt, more than 0.</param>
    /// <param name="freshness">Which samples count.</param>
    public static double Of(EndpointState endpoint, double waitMs, double typicalMs, SampleFreshness freshness)
    {
        var room = Math.Clamp((BeginsWithinMs - waitMs) / typicalMs, 0, Most);
        var capacity = endpoint.KnownKvCapacityTokens;
        if (room <= 0 || capacity == 0 || endpoint.InFlightRequests == 0) return room;
        var needed = endpoint.ExpectedKvTokens(freshness);
        // One more is like those that are there.
        return Math.Clamp((CostModel.KvUsableTokens(capacity) - needed) * endpoint.InFlightRequests / Math.Max(1, needed), 0, room);
    }
}
