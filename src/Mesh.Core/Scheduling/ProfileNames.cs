using System.Collections.Immutable;

namespace Mesh.Core.Scheduling;

/// <summary>Names of the built-in scheduling profiles, as configuration writes them.</summary>
public static class ProfileNames
{
    /// <summary>Least predicted cost, with late binding; the default.</summary>
    public const string Mesh = "mesh";

    /// <summary>One endpoint after the other.</summary>
    public const string RoundRobin = "round-robin";

    /// <summary>Any endpoint, each with the same chance.</summary>
    public const string Random = "random";

    /// <summary>Fewest requests in flight.</summary>
    public const string LeastRequest = "least-request";

    /// <summary>The less loaded of two endpoints taken at random.</summary>
    public const string PowerOfTwo = "power-of-two";

    /// <summary>Queue depth, KV-cache utilization and prefix cache, weighted as the published picker weighs them.</summary>
    public const string EppDefault = "epp-default";

    /// <summary>Endpoints that have the prompt's prefix, and among them the fewest tokens outstanding.</summary>
    public const string AffinityTokenLoad = "affinity-token-load";

    /// <summary>The same endpoint for the same session.</summary>
    public const string Session = "session";

    /// <summary>Least loaded by exact counts, scraped values tipping the balance.</summary>
    public const string LeastLoad = "least-load";

    /// <summary>All names, the default first.</summary>
    public static ImmutableArray<string> All { get; } =
        [Mesh, RoundRobin, Random, LeastRequest, PowerOfTwo, EppDefault, AffinityTokenLoad, Session, LeastLoad];
}
