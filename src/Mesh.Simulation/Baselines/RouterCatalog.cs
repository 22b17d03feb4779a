namespace Mesh.Simulation.Baselines;

/// <summary>Routers by the names that reports and commands use.</summary>
internal static class RouterCatalog
{
    private static readonly (string Name, Func<ulong, IWorldRouter> Make)[] Routers =
    [
        ("mesh", seed => new MeshRouter(seed)),
        ("round-robin", seed => new RoundRobinRouter(seed)),
        ("random", seed => new RandomRouter(seed)),
        ("least-request", seed => new LeastRequestRouter(seed)),
        ("power-of-two", seed => new PowerOfTwoRouter(seed)),
        ("session", seed => new SessionHashRouter(seed)),
        ("epp-default", seed => new EppDefaultRouter(seed)),
        ("affinity-token-load", seed => new AffinityTokenLoadRouter(seed)),
        ("dynamo", seed => new DynamoRouter(seed)),
        ("smg-least-load", seed => new SmgLeastLoadRouter(seed)),
        ("study-early", seed => new StudyEarlyRouter(seed)),
        ("study-late", _ => new StudyLateRouter()),
    ];

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => Routers.Select(r => r.Name);

    /// <summary>Makes a router, or returns null when none has that name.</summary>
    public static IWorldRouter? Make(string name, ulong seed)
    {
        foreach (var router in Routers)
        {
            if (router.Name == name) return router.Make(seed);
        }

        return null;
    }
}
