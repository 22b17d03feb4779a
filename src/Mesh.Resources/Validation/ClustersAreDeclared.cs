using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Every cluster directory has one ClusterProfile of its name, with a region.</summary>
internal sealed class ClustersAreDeclared : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var profiles = world.Resources.Of<ClusterProfile>().ToLookup(p => p.Name, StringComparer.Ordinal);
        foreach (var cluster in world.Directories.Where(c => !profiles.Contains(c)))
        {
            report.Error(
                Spot.OfFile(cluster), DiagnosticCodes.ClusterUndeclared, $"No ClusterProfile declares cluster {cluster}",
                $"add one named {cluster} with labels {ClusterProfile.RegionLabel} and {ClusterProfile.ZoneLabel}");
        }

        foreach (var group in profiles.OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            foreach (var repeated in group.Skip(1))
                report.Error(
                    repeated.Header.NameAt, DiagnosticCodes.ClusterRepeated,
                    $"Cluster {group.Key} is already declared in {group.First().Header.NameAt}", "keep one of the two profiles");
            Check(group.First(), world, report);
        }
    }

    private static void Check(ClusterProfile profile, World world, DiagnosticBag report)
    {
        if (profile.Region is null)
            report.Error(
                profile.Header.NameAt, DiagnosticCodes.RegionUnknown, $"Cluster {profile.Name} has no region",
                $"add the label {ClusterProfile.RegionLabel}");
        if (profile.Header.Labels.TryGetValue(ClusterProfile.NameLabel, out var name) && name != profile.Name)
            report.Error(
                profile.Header.NameAt, DiagnosticCodes.ClusterNameMismatch,
                $"Label {ClusterProfile.NameLabel} is {name}, but the profile's name is {profile.Name}",
                "leave out the label: it is implicit");
        // Whoever says where its region's gateway is has its manifests there.
        if (!world.Directories.Contains(profile.Name) && profile.GatewayUrls.IsEmpty)
        {
            var nearest = NearestName.Of(
                profile.Name, world.Directories.Where(d => world.Resources.Of<ClusterProfile>().All(p => p.Name != d)));
            report.Warning(
                profile.Header.NameAt, DiagnosticCodes.ClusterWithoutDirectory, $"Cluster {profile.Name} has no directory of manifests",
                nearest is null ? null : $"did you mean {nearest}?");
        }
    }
}
