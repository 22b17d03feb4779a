using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>Where Gateways listen.</summary>
public static class GatewayRegions
{
    extension(GatewayConfig gateway)
    {
        /// <summary>True when the Gateway names the region or names none; the empty region stands for every one.</summary>
        public bool ListensIn(string region) => region.Length == 0 || gateway.Regions.IsDefaultOrEmpty || gateway.Regions.Contains(region);
    }
}
