using System.Net;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Orleans.Dashboard;

namespace Mesh.Silo;

/// <summary>The silo's administrative listener: the dashboard, health, and where the grains are.</summary>
internal static class AdminPages
{
    /// <summary>The address to listen on.</summary>
    /// <param name="options">Options.</param>
    /// <param name="keys">The keys that it asks for.</param>
    /// <exception cref="GatewayConfigurationException">It is not <c>address:port</c>, or others could reach it without a key and nobody said that they may.</exception>
    public static IPEndPoint Address(SiloOptions options, KeyOptions keys)
    {
        if (!IPEndPoint.TryParse(options.Admin!, out var address) || address.Port == 0)
            throw new GatewayConfigurationException($"Silo:Admin '{options.Admin}' is not address:port.");
        var asksForKeys = keys.Mode != KeyMode.Off && keys.AreConfigured;
        if (keys.Mode == KeyMode.Required && !keys.AreConfigured)
            throw new GatewayConfigurationException("Mesh:Keys:Mode is Required, but there are no keys. Name a file of them (Mesh:Keys:File), Mesh:Keys:Entries or Mesh:Keys:Jwt.");
        if (!Loopback.Is(address.Address) && !asksForKeys && !options.OpenAdmin)
        {
            throw new GatewayConfigurationException(
                $"Silo:Admin {address} can be reached from other machines, but there are no keys. Name a file of keys, which mesh keys new makes (--Mesh:Keys:File=keys.json), "
                + "say that everybody may see everything (--Silo:OpenAdmin=true), or use 127.0.0.1.");
        }
        return address;
    }

    public static void Map(WebApplication app)
    {
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        app.MapGet("/readyz", ReadyAsync);
        app.MapGet("/mesh/v1/grains", async (SiloMesh mesh, IGrainFactory grains) => Results.Json(await RegionsAsync(mesh, grains)));
        app.MapOrleansDashboard(routePrefix: "/dashboard");
    }

    private static async Task<IResult> ReadyAsync(SiloMesh mesh, IGrainFactory grains)
    {
        if (mesh.Configuration.Config.Pools.IsEmpty) return NotReady("the manifests export no pool");
        try
        {
            var regions = await RegionsAsync(mesh, grains);
            var pools = regions.SelectMany(r => r.Value.Pools).Where(p => p.IsConfigured).Select(p => p.Epoch).Distinct().Count();
            return pools > 0 ? Results.Text("ready\n") : NotReady("no pool runs yet");
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return NotReady(e.Message);
        }
    }

    private static IResult NotReady(string reason) => Results.Text($"not ready: {reason}\n", statusCode: StatusCodes.Status503ServiceUnavailable);

    private static async Task<SortedDictionary<string, RegionStatus>> RegionsAsync(SiloMesh mesh, IGrainFactory grains)
    {
        var regions = new SortedDictionary<string, RegionStatus>(StringComparer.Ordinal);
        foreach (var region in mesh.Regions) regions[region] = await grains.GetGrain<IRegionGrain>(region).Keep();
        return regions;
    }
}
