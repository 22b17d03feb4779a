using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A gateway's addresses name regions of the fleet.</summary>
internal sealed class GatewayRegions : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var regions = world.Fleet.Values.Select(c => c.Region).Where(r => r.Length > 0).Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var address in world.Effective<Gateway>().SelectMany(g => g.Addresses))
        {
            if (address.Region is null)
            {
                report.Warning(
                    address.At, DiagnosticCodes.AddressWithoutRegion, $"An address of type {address.Type} names no region and is not used",
                    "write type: networking.gke.io/ephemeral-ipv4-address/REGION");
            }
            else if (!regions.Contains(address.Region) && !world.PeerRegions.Contains(address.Region) && world.Fleet.Values.All(c => c.Region.Length > 0))
            {
                var nearest = NearestName.Of(address.Region, regions);
                report.Warning(
                    address.At, DiagnosticCodes.RegionWithoutCluster, $"No cluster of the fleet is in region {address.Region}",
                    nearest is null ? null : $"did you mean {nearest}?");
            }
        }
    }
}
