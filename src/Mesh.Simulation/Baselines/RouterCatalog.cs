using Mesh.Core.Scheduling;

namespace Mesh.Simulation.Baselines;

/// <summary>Routers by the names that reports and commands use.</summary>
internal static class RouterCatalog
{
    private const string CorePrefix = "core-";

    private static readonly (string Name, Func<ulong, IWorldRouter> Make)[] Routers =
    [
        (ProfileNames.Mesh, seed => new MeshRouter(seed)),
        ("mesh-early", seed => new MeshRouter(seed, bindsLate: false)),
        ("mesh-events", seed => new MeshRouter(seed, cacheEvents: true)),
        ("round-robin", seed => new RoundRobinRouter(seed)),
        ("random", seed => new RandomRouter(seed)),
        ("least-request", seed => new LeastRequestRouter(seed)),
        ("power-of-two", seed => new PowerOfTwoRouter(seed)),
        ("session", seed => new SessionHashRouter(seed)),
        ("epp-default", seed => new EppDefaultRouter(seed)),
        ("affinity-token-load", seed => new AffinityTokenLoadRouter(seed)),
        ("dynamo", seed => new DynamoRouter(seed)),
        ("smg-least-load", seed => new SmgLeastLoadRouter(seed)),
        ("omniscient", seed => new OmniscientRouter(seed)),
        ("study-early", seed => new StudyEarlyRouter(seed)),
        ("study-late", _ => new StudyLateRouter()),
        ("study-late-history", _ => new StudyLateRouter(exactCache: false)),
        ("study-late-1000", _ => new StudyLateRouter(pushedStreamMs: 1000)),
        ("study-late-1000-history", _ => new StudyLateRouter(pushedStreamMs: 1000, exactCache: false)),
    ];

    /// <summary>All names. With the prefix <c>core-</c> a baseline's name means the production core with its profile of that name.</summary>
    public static IEnumerable<string> Names => Routers.Select(r => r.Name).Concat(ProfileNames.All.Where(p => p != ProfileNames.Mesh).Select(p => CorePrefix + p));

    /// <summary>Makes a router, or returns null when none has that name.</summary>
    public static IWorldRouter? Make(string name, ulong seed)
    {
        foreach (var router in Routers)
        {
            if (router.Name == name) return router.Make(seed);
        }

        var profile = name.StartsWith(CorePrefix, StringComparison.Ordinal) ? name[CorePrefix.Length..] : "";
        return ProfileNames.All.Contains(profile) ? new MeshRouter(seed, profile) : null;
    }
}
