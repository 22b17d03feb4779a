namespace Mesh.Simulation.Fleets;

/// <summary>What a recorder must know of a world to say where requests went.</summary>
/// <param name="Regions">Names of the regions.</param>
/// <param name="RegionOf">Region of each endpoint.</param>
/// <param name="Views">For each region the endpoints that its router numbers, in its order.</param>
internal sealed record RunScope(IReadOnlyList<string> Regions, int[] RegionOf, int[][] Views)
{
    /// <summary>Scope of a fleet with the endpoints that its routers see.</summary>
    public static RunScope Of(FleetTopology fleet, int[][] views) => new(fleet.Regions, [.. fleet.Endpoints.Select(e => e.Region)], views);
}
