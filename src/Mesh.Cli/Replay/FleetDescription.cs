using System.Collections.Immutable;
using Mesh.Resources.Reading;
using Mesh.Simulation.Model;

namespace Mesh.Cli.Replay;

/// <summary>A fleet as a file describes it, with the places that messages name.</summary>
internal sealed record FleetDescription
{
    /// <summary>File that describes it, as it was named.</summary>
    public string Path { get; init; } = "";

    /// <summary>Regions, each once.</summary>
    public required ImmutableArray<Located<string>> Regions { get; init; }

    /// <summary>Round-trip times in ms, a row and a column for each region.</summary>
    public required ImmutableArray<ImmutableArray<double>> RoundTripMs { get; init; }

    public required ImmutableArray<FleetCluster> Clusters { get; init; }

    /// <summary>Where requests come from; empty: from all regions alike.</summary>
    public required ImmutableArray<FleetClients> Clients { get; init; }

    /// <summary>Endpoints in all.</summary>
    public int Endpoints => Clusters.Sum(c => c.Groups.Sum(g => g.Count));

    /// <summary>What all endpoints cost in an hour; null unless all their hardware has a price.</summary>
    public double? CostPerHour
    {
        get
        {
            // A group of none costs nothing, priced or not.
            var groups = Clusters.SelectMany(c => c.Groups).Where(g => g.Count > 0).ToList();
            return groups.TrueForAll(g => g.PricePerHour is not null) ? groups.Sum(g => g.Count * g.PricePerHour!.Value) : null;
        }
    }

    /// <summary>Number of a region.</summary>
    public int NumberOf(string region)
    {
        for (var i = 0; i < Regions.Length; i++)
        {
            if (Regions[i].Value == region) return i;
        }

        return -1;
    }

    /// <summary>The same fleet with another number of endpoints: every group keeps its part, the largest remainders first.</summary>
    public FleetDescription WithEndpoints(int endpoints)
    {
        var now = Endpoints;
        var groups = Clusters.SelectMany((c, i) => c.Groups.Select((g, j) => (Cluster: i, Group: j, Exact: (double)g.Count * endpoints / now))).ToList();
        var counts = groups.ToDictionary(g => (g.Cluster, g.Group), g => (int)g.Exact);
        var left = endpoints - counts.Values.Sum();
        foreach (var group in groups.OrderByDescending(g => g.Exact - (int)g.Exact).ThenBy(g => g.Cluster).ThenBy(g => g.Group).Take(left))
            counts[(group.Cluster, group.Group)]++;
        return this with
        {
            Clusters = [.. Clusters.Select((c, i) => c with { Groups = [.. c.Groups.Select((g, j) => g with { Count = counts[(i, j)] })] })],
        };
    }
}

/// <summary>One cluster.</summary>
/// <param name="Name">Its name, as its ClusterProfile has it.</param>
/// <param name="Region">Name of its region.</param>
/// <param name="Groups">Its endpoints.</param>
internal sealed record FleetCluster(Located<string> Name, Located<string> Region, ImmutableArray<FleetGroup> Groups);

/// <summary>Equal endpoints.</summary>
/// <param name="Hardware">Name of their hardware.</param>
/// <param name="Engine">What that is.</param>
/// <param name="Count">How many.</param>
/// <param name="Zone">Their zone; null for the cluster's only one.</param>
/// <param name="At">Place of the group.</param>
/// <param name="PricePerHour">What one of them costs in an hour; null where that is not told.</param>
internal sealed record FleetGroup(string Hardware, VllmModelOptions Engine, int Count, Located<string>? Zone, Spot At, double? PricePerHour = null);

/// <summary>A part of the clients.</summary>
/// <param name="Region">Region whose gateway they ask.</param>
/// <param name="Share">Their part, in relation to the others'.</param>
/// <param name="Objective">InferenceObjective that their requests name; null for none.</param>
internal sealed record FleetClients(Located<string> Region, double Share, Located<string>? Objective);
