using Mesh.Core.Config;
using Mesh.Core.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests.Monitoring;

/// <summary>What a resting endpoint's samples say of their own age, which tells the pace at which it is read.</summary>
public sealed class RestingEndpointTests
{
    private const string Idle = "vllm:num_requests_running 0\nvllm:num_requests_waiting 0\nvllm:kv_cache_usage_perc 0\n";
    private static readonly PoolId Pool = new("default", "vllm");

    private static readonly EngineOptions Options = new()
    {
        QuickProbeInterval = TimeSpan.FromMilliseconds(100),
        ScrapeInterval = TimeSpan.FromMilliseconds(50),
        IdleScrapeInterval = TimeSpan.FromMinutes(5),
    };

    [Fact]
    public async Task Route_EndpointAtRest_IsReadOftenAgain()
    {
        await using var server = await StartAsync(() => Idle);
        await using var engine = new EmbeddedEngine(Options, TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(Config(server));

        // 50, 100, 200 … 3,200 ms: after the last of these the sample counts for three times as long.
        await Eventually.HoldsAsync(() => MaxAge(engine) == TimeSpan.FromMilliseconds(3 * 3200), "it rests", withinSeconds: 60);
        var decision = await engine.Router.RouteAsync(
            new RouteRequest { RequestId = "r", Pool = Pool, Session = engine.Session, FairnessId = "", PromptTokens = 10, MaxOutputTokens = 10 }, default);

        Assert.Equal(RouteKind.Send, decision.Kind);
        // Had the request changed nothing, the next sample would count for longer yet.
        await Eventually.HoldsAsync(() => MaxAge(engine) <= Options.Pool.SampleMaxAge, "it is read often again");
    }

    [Fact]
    public async Task Scrape_EndpointFillsUpAndEmpties_FollowsItsPages()
    {
        var page = Idle;
        await using var server = await StartAsync(() => page);
        await using var engine = new EmbeddedEngine(
            Options with { ScrapeInterval = TimeSpan.FromMilliseconds(500), IdleScrapeInterval = TimeSpan.FromSeconds(1) }, TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(Config(server));

        await Eventually.HoldsAsync(() => MaxAge(engine) == TimeSpan.FromSeconds(3), "it rests");
        page = "vllm:num_requests_running 3\nvllm:num_requests_waiting 1\n";
        await Eventually.HoldsAsync(() => MaxAge(engine) == TimeSpan.FromSeconds(1.5), "it is crowded");
        page = Idle;
        await Eventually.HoldsAsync(() => MaxAge(engine) == TimeSpan.FromSeconds(3), "it rests again");
    }

    private static TimeSpan? MaxAge(EmbeddedEngine engine) =>
        engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints).Single().LastSample?.MaxAge;

    private static Task<ScriptedServer> StartAsync(Func<string> page) => ScriptedServer.StartAsync(new Dictionary<string, Func<string>>
    {
        ["/health"] = () => "",
        ["/metrics"] = page,
        ["/v1/models"] = () => """{"object":"list","data":[{"id":"llama"}]}""",
    });

    private static MeshConfig Config(ScriptedServer server) => new()
    {
        Version = 1,
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                Backends = [new BackendConfig { Id = new BackendId("cluster", "zone", 8000), Region = "region", Endpoints = [new EndpointConfig { Id = server.Id, PodName = "pod" }] }],
            },
        ],
    };
}
