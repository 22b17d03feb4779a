using Mesh.Core.Config;

namespace Mesh.Gateway.Hosting;

/// <summary>What a person reads once the gateway is up.</summary>
internal static class Banner
{
    /// <param name="output">Where to.</param>
    /// <param name="host">The gateway.</param>
    /// <param name="config">First configuration.</param>
    /// <param name="manifests">Directory.</param>
    /// <param name="simulated">Whether the endpoints are simulated.</param>
    /// <param name="readyAfter">Time that it took; null when it is not ready yet.</param>
    public static void Write(TextWriter output, GatewayHost host, MeshConfig config, string manifests, bool simulated, TimeSpan? readyAfter)
    {
        output.WriteLine();
        output.WriteLine(host.Region.Length > 0 ? $"Mesh gateway, region {host.Region}" : "Mesh gateway, all regions");
        output.WriteLine($"  manifests  {manifests} (watched)");
        foreach (var binding in host.Bindings)
        {
            output.WriteLine(binding.IsAdmin ? $"  admin      {binding.Url}" : $"  listener   {binding.Url} (port {binding.Port} of the manifests)");
        }

        if (!host.Bindings.IsEmpty) output.WriteLine($"  dashboard  {(host.Bindings[^1].IsAdmin ? host.Bindings[^1] : host.Bindings[0]).Url}{Dashboard.DashboardPages.Path}");
        foreach (var cluster in config.Clusters)
        {
            output.WriteLine($"  cluster    {cluster.Name}: region {cluster.Region}, zone {cluster.Zone}{(cluster.IsConfigCluster ? ", config cluster" : "")}");
        }

        foreach (var pool in config.Pools) WritePool(output, pool, simulated);
        output.WriteLine(readyAfter is { } time ? $"  ready      after {time.TotalSeconds:0.0} s" : $"  not ready  {host.WhyNotReady}");
        if (host.Bindings is not [{ IsAdmin: false } first, ..]) return;
        output.WriteLine();
        output.WriteLine("Try it:");
        var key = host.AsksForKeys ? " -H \"Authorization: Bearer $KEY\"" : "";
        output.WriteLine();
        output.WriteLine($$"""
            curl -i -X POST {{first.Url}}/v1/completions -H 'Content-Type: application/json'{{key}} -d '{
            "model": "food-review-1",
            "prompt": "What is the best pizza in the world?",
            "max_tokens": 100,
            "temperature": 0
            }'
            """);
        output.WriteLine();
    }

    private static void WritePool(TextWriter output, PoolConfig pool, bool simulated)
    {
        output.WriteLine($"  pool       {pool.Id}");
        foreach (var backend in pool.Backends)
        {
            var addresses = string.Join(", ", backend.Endpoints.Select(e => e.Id.Address));
            output.WriteLine($"    backend  {backend.Id}: {(simulated ? "simulated vLLM at " : "")}{addresses}");
        }
    }
}
