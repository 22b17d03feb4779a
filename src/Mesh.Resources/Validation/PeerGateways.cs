using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Where clusters say that the gateways of their regions are, those are addresses, and each region has one gateway with a name of its own.</summary>
internal sealed class PeerGateways : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var nameOf = new Dictionary<string, ClusterProfile>(StringComparer.Ordinal);
        var regionOf = new Dictionary<string, ClusterProfile>(StringComparer.Ordinal);
        foreach (var profile in world.Resources.Of<ClusterProfile>().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            foreach (var url in profile.GatewayUrls.Where(u => !IsBase(u)))
                report.Error(
                    profile.Header.AnnotationsAt, DiagnosticCodes.PeerGateway, $"{ClusterProfile.GatewayUrlAnnotation} has {url}, which is no base address",
                    "write http://host:port or https://host:port, several by commas");
            if (profile.GatewayUrls.IsEmpty && profile.GatewayName is not null)
                report.Warning(
                    profile.Header.AnnotationsAt, DiagnosticCodes.PeerGateway,
                    $"{ClusterProfile.GatewayNameAnnotation} has no effect without {ClusterProfile.GatewayUrlAnnotation}");
            if (profile.GatewayUrls.IsEmpty || profile.Region is not { } region) continue;
            var name = profile.GatewayName ?? region;
            if (nameOf.TryGetValue(region, out var other) && (other.GatewayName ?? region) != name)
                report.Error(
                    profile.Header.AnnotationsAt, DiagnosticCodes.PeerGateway,
                    $"The gateway of region {region} is called {name} here and {other.GatewayName ?? region} in {other.Header.NameAt}", "a region has one gateway");
            if (regionOf.TryGetValue(name, out var elsewhere) && elsewhere.Region != region)
                report.Error(
                    profile.Header.AnnotationsAt, DiagnosticCodes.PeerGateway,
                    $"The gateways of regions {elsewhere.Region} and {region} are both called {name}", "each needs a name of its own");
            nameOf.TryAdd(region, profile);
            regionOf.TryAdd(name, profile);
        }
    }

    private static bool IsBase(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { AbsolutePath: "/", Query: "" };
}
