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
        var own = new List<int>[fleet.Regions.Count];
        for (var region = 0; region < own.Length; region++) own[region] = [];
        for (var i = 0; i < fleet.Endpoints.Count; i++) own[fleet.Endpoints[i].Region].Add(i);
        var views = new int[own.Length][];
        for (var region = 0; region < own.Length; region++)
        {
            var nearest = own[region].Count > 0
                ? region
                : Enumerable.Range(0, own.Length).Where(r => own[r].Count > 0).OrderBy(r => fleet.RoundTripMs[region][r]).ThenBy(r => r).First();
            views[region] = [.. own[nearest]];
        }

        return views;
    }
}
