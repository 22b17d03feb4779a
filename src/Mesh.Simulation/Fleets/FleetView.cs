namespace Mesh.Simulation.Fleets;

/// <summary>Which endpoints each region's router chooses from, in the order in which it numbers them.</summary>
internal static class FleetView
{
    /// <summary>Every router sees the whole fleet, as the gateways of a mesh do.</summary>
    public static int[][] Whole(FleetTopology fleet)
    {
        int[] all = [.. Enumerable.Range(0, fleet.Endpoints.Count)];
        return [.. fleet.Regions.Select(_ => all)];
    }

    /// <summary>Every router sees its own region, as a picker inside one cluster does; one without endpoints the nearest region that has some.</summary>
    public static int[][] OwnRegion(FleetTopology fleet)
    {
        var views = new int[fleet.Regions.Count][];
        for (var region = 0; region < views.Length; region++)
        {
            var nearest = Enumerable.Range(0, views.Length)
                .Where(r => fleet.Endpoints.Any(e => e.Region == r))
                .OrderBy(r => r == region ? -1 : fleet.RoundTripMs[region][r]).ThenBy(r => r).First();
            views[region] = [.. Enumerable.Range(0, fleet.Endpoints.Count).Where(e => fleet.Endpoints[e].Region == nearest)];
        }

        return views;
    }
}
