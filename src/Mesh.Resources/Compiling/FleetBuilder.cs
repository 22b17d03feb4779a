using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>The clusters with their labels, the implicit ones included.</summary>
internal static class FleetBuilder
{
    public static ImmutableSortedDictionary<string, ClusterConfig> Build(World world)
    {
        var profiles = world.Resources.Of<ClusterProfile>().DistinctBy(p => p.Name).ToDictionary(p => p.Name, StringComparer.Ordinal);
        var names = profiles.Keys.Concat(world.Directories).Distinct(StringComparer.Ordinal);
        return names.ToImmutableSortedDictionary(
            name => name, name => Build(name, profiles.GetValueOrDefault(name), world.ConfigCluster), StringComparer.Ordinal);
    }

    private static ClusterConfig Build(string name, ClusterProfile? profile, string? configCluster)
    {
        var region = profile?.Region ?? "";
        var zone = profile?.Zone ?? "";
        return new ClusterConfig
        {
            Name = name,
            Region = region,
            Zone = zone,
            IsConfigCluster = name == configCluster,
            GatewayUrl = string.Join(',', profile?.GatewayUrls ?? []),
            GatewayName = profile?.GatewayName ?? "",
            Labels = WithImplicit(
                profile?.Header.Labels ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), name, region, zone),
        };
    }

    /// <summary>A cluster's labels as a backend in one of its zones carries them.</summary>
    public static ImmutableSortedDictionary<string, string> WithImplicit(
        ImmutableSortedDictionary<string, string> labels, string name, string region, string zone)
    {
        labels = labels.SetItem(ClusterProfile.NameLabel, name);
        if (region.Length > 0) labels = labels.SetItem(ClusterProfile.RegionLabel, region);
        if (zone.Length > 0) labels = labels.SetItem(ClusterProfile.ZoneLabel, zone);
        return labels;
    }
}
