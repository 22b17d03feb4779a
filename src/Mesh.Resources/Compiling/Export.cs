using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Whether a pool is exported to the fleet.</summary>
internal static class Export
{
    public const string VendorAnnotation = "networking.gke.io/export";

    public const string UpstreamAnnotation = "inference.networking.x-k8s.io/export";

    public const string UpstreamValue = "ClusterSet";

    public static bool IsExported(InferencePool pool) =>
        (pool.Header.Annotations.TryGetValue(VendorAnnotation, out var vendor) && vendor.Equals("true", StringComparison.OrdinalIgnoreCase))
        || (pool.Header.Annotations.TryGetValue(UpstreamAnnotation, out var upstream) && upstream == UpstreamValue);
}
