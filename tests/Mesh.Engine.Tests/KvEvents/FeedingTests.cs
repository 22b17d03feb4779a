using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Server;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests.KvEvents;

/// <summary>The engine with simulated servers that publish: over real sockets, every wait with a deadline.</summary>
public sealed class FeedingTests
{
    private const string Model = "llama";
    private static readonly PoolId Pool = new("default", "vllm");
    private static readonly HttpClient Http = new();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 0.3)]
    public async Task Reconfigure_ServersPublish_TheEngineKnowsWhatTheirCachesHold(bool oldEncoding, double loss)
    {
        var (events, replay) = (FreePorts.Next(), FreePorts.Next());
        await using var server = await StartAsync(events, replay, oldEncoding, loss);
        await using var engine = Start();
        engine.Reconfigure(Config(new KvEventsConfig { Enabled = true, Port = events, ReplayPort = replay }, server));
        await Eventually.HoldsAsync(() => Endpoint(engine) is { CacheKnowledge: CacheKnowledge.Exact, Health: EndpointHealth.Healthy }, "exact");

        // Of different lengths: those of the same one are told apart by when their blocks come, which a busy machine blurs.
        for (var i = 0; i < 5; i++) await AskAsync(engine, server, Words(i, 400 + (40 * i)));
        await AskAsync(engine, server, Words(1, 440) + " and then " + Words(9, 200));

        await Eventually.HoldsAsync(() => Endpoint(engine).CachedBlocks == Cached(server) && Endpoint(engine).CacheKnowledge == CacheKnowledge.Exact, "all blocks known");
        // What is lost comes by a replay, which may be later than it is waited for.
        if (loss > 0) return;
        // The sixth is learned later than the fifth, and brings places of its own.
        await Poll.UntilAsync(() => engine.Snapshot()[0].CacheEvents! is { Learning.Learned: >= 5, Mappings: > 20 }, () => $"learned: {engine.Snapshot()[0].CacheEvents}", 15);
        Assert.Equal(0, engine.Snapshot()[0].CacheEvents!.Learning.Contradicted);
    }

    [Fact]
    public async Task Server_Restarted_IsForgottenAndExactAgain()
    {
        var (events, replay) = (FreePorts.Next(), FreePorts.Next());
        var server = await StartAsync(events, replay);
        await using var engine = Start();
        engine.Reconfigure(Config(new KvEventsConfig { Enabled = true, Port = events, ReplayPort = replay }, server));
        await Eventually.HoldsAsync(() => Endpoint(engine) is { CacheKnowledge: CacheKnowledge.Exact, Health: EndpointHealth.Healthy }, "exact");
        await AskAsync(engine, server, Words(1, 400));
        await Eventually.HoldsAsync(() => Endpoint(engine).CachedBlocks > 20, "blocks known");

        await server.KillAsync();
        await Eventually.HoldsAsync(() => Endpoint(engine).CacheKnowledge != CacheKnowledge.Exact, "not exact while it is away");
        await using var successor = await StartAsync(events, replay, port: server.Port);

        await Eventually.HoldsAsync(() => Endpoint(engine) is { CacheKnowledge: CacheKnowledge.Exact, CachedBlocks: 0 }, "a new, empty cache");
        Assert.True(Endpoint(engine).CacheKnowledgeChanges >= 3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_CacheIsReset_TheIndexIsEmptyAndStaysExact(bool oldEncoding)
    {
        var (events, replay) = (FreePorts.Next(), FreePorts.Next());
        await using var server = await StartAsync(events, replay, oldEncoding);
        await using var engine = Start();
        engine.Reconfigure(Config(new KvEventsConfig { Enabled = true, Port = events, ReplayPort = replay }, server));
        await Eventually.HoldsAsync(() => Endpoint(engine) is { CacheKnowledge: CacheKnowledge.Exact, Health: EndpointHealth.Healthy }, "exact");
        await AskAsync(engine, server, Words(1, 400));
        await Eventually.HoldsAsync(() => Endpoint(engine).CachedBlocks > 20, "blocks known");

        using (var reset = await Http.PostAsync($"http://{server.Address}/reset_prefix_cache", content: null)) Assert.True(reset.IsSuccessStatusCode);

        Assert.Equal(0, server.CachedBlocks);
        await Eventually.HoldsAsync(() => Endpoint(engine) is { CachedBlocks: 0, CacheKnowledge: CacheKnowledge.Exact }, "an empty cache");
        await AskAsync(engine, server, Words(1, 400));
        await Eventually.HoldsAsync(() => Endpoint(engine).CachedBlocks == Cached(server) && Cached(server) > 20, "blocks known anew");
    }

    [Fact]
    public async Task Reconfigure_EventsSwitchedOff_HistoryIsAllThereIs()
    {
        var (events, replay) = (FreePorts.Next(), FreePorts.Next());
        await using var server = await StartAsync(events, replay);
        await using var engine = Start();
        engine.Reconfigure(Config(new KvEventsConfig { Enabled = true, Port = events, ReplayPort = replay }, server));
        await Eventually.HoldsAsync(() => Endpoint(engine).CacheKnowledge == CacheKnowledge.Exact, "exact");

        engine.Reconfigure(Config(KvEventsConfig.None, server));

        await Eventually.HoldsAsync(() => Endpoint(engine).CacheKnowledge == CacheKnowledge.History, "history");
    }

    [Fact]
    public void Sources_RanksAndTopic_OneForEachRankOnTheEndpointsAddress()
    {
        var config = new KvEventsConfig { Enabled = true, Port = 6000, ReplayPort = 6100, Ranks = 2, Topic = "kv" };
        Assert.Equal(
            [new("10.0.0.7", 6000, 6100, 0, "kv"), new("10.0.0.7", 6001, 6101, 1, "kv")], PoolFeeds.Sources(new EndpointId("10.0.0.7:8000"), config));
        Assert.Equal("fd00::7", PoolFeeds.Sources(new EndpointId("[fd00::7]:8000"), config).First().Host);
        Assert.Empty(PoolFeeds.Sources(new EndpointId("10.0.0.7:8000"), config with { Enabled = false }));
        Assert.Single(PoolFeeds.Sources(new EndpointId("10.0.0.7:8000"), config with { Port = 65535 }));
    }

    private static EmbeddedEngine Start() =>
        new(new EngineOptions { QuickProbeInterval = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLoggerFactory.Instance, seed: 1);

    private static Task<SimulatedVllmServer> StartAsync(int events, int replay, bool oldEncoding = false, double loss = 0, int port = 0) =>
        SimulatedVllmServer.StartAsync(
            new SimulatedVllmOptions
            {
                Port = port,
                Models = [new(Model)],
                Speed = 10,
                KvEvents = new KvEventOptions { Port = events, ReplayPort = replay, OldEncoding = oldEncoding, LossRatio = loss, Seed = 3 },
            },
            CancellationToken.None);

    private static MeshConfig Config(KvEventsConfig events, SimulatedVllmServer server) => new()
    {
        Version = 1,
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                KvEvents = events,
                Backends =
                [
                    new BackendConfig
                    {
                        Id = new BackendId("cluster", "zone", 8000),
                        Region = "region",
                        Endpoints = [new EndpointConfig { Id = new EndpointId(server.Address), PodName = "pod" }],
                    },
                ],
            },
        ],
    };

    private static EndpointSnapshot Endpoint(EmbeddedEngine engine) => engine.Snapshot()[0].Backends[0].Endpoints[0];

    // What the server says of its cache itself, in its own words.
    private static int Cached(SimulatedVllmServer server) => server.CachedBlocks;

    private static async Task AskAsync(EmbeddedEngine engine, SimulatedVllmServer server, string prompt)
    {
        var chain = new ulong[PrefixLayout.Growing.MaxBlocks];
        var hasher = new PromptHasher(PrefixLayout.Growing, chain, PromptHasher.SeedOf("llama"u8));
        hasher.Append(Encoding.UTF8.GetBytes(prompt));
        var decision = await engine.Router.RouteAsync(
            new RouteRequest
            {
                RequestId = "",
                Pool = Pool,
                Session = engine.Session,
                FairnessId = "",
                PromptTokens = prompt.Length / 4,
                PrefixChain = chain.AsMemory(0, hasher.Blocks),
            },
            CancellationToken.None);
        Assert.Equal(RouteKind.Send, decision.Kind);
        var body = JsonSerializer.Serialize(new { model = Model, prompt, max_tokens = 40, temperature = 0 });
        using var response = await Http.PostAsync($"http://{server.Address}/v1/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        var usage = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("usage");
        engine.Router.Complete(
            Pool, decision.Lease,
            new RequestOutcome(OutcomeKind.Success, usage.GetProperty("prompt_tokens").GetInt32(), 0, usage.GetProperty("completion_tokens").GetInt32()));
    }

    private static string Words(int seed, int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"{(char)('a' + (((seed * 7) + (i * i)) % 26))}{(char)('a' + ((i * (seed + 3)) % 26))}"));
}
