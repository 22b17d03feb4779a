using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Exactly one cluster is named as the config cluster.</summary>
internal sealed class OneConfigCluster : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var profiles = world.Resources.Of<ClusterProfile>().DistinctBy(p => p.Name).ToList();
        var marked = world.Resources.Of<ClusterProfile>().Where(p => p.IsConfigCluster).DistinctBy(p => p.Name).ToList();
        foreach (var profile in profiles.Where(p => p.Header.Annotations.ContainsKey(ClusterProfile.ConfigClusterAnnotation) && !p.IsConfigCluster))
        {
            if (!profile.Header.Annotations[ClusterProfile.ConfigClusterAnnotation].Equals("false", StringComparison.OrdinalIgnoreCase))
                report.Warning(
                    profile.Header.AnnotationsAt, DiagnosticCodes.AnnotationValue,
                    $"Annotation {ClusterProfile.ConfigClusterAnnotation} is neither \"true\" nor \"false\" and has no effect");
        }

        if (marked.Count == 0 && profiles.Count > 0)
        {
            report.Error(
                profiles[0].Header.NameAt, DiagnosticCodes.ConfigClusterMissing, "No cluster is named as the config cluster",
                $"annotate the ClusterProfile of the cluster whose Gateway and HTTPRoute count with {ClusterProfile.ConfigClusterAnnotation}: \"true\"");
        }

        foreach (var second in marked.Skip(1))
            report.Error(
                second.Header.NameAt, DiagnosticCodes.ConfigClusterRepeated,
                $"{second.Name} is a second config cluster beside {marked[0].Name} ({marked[0].Header.NameAt})",
                $"leave {ClusterProfile.ConfigClusterAnnotation} on one profile");
    }
}
