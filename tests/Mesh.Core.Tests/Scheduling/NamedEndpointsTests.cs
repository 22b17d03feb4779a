using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;
using Mesh.Core.SpillOver;
using Mesh.Core.Tests.Scheduling.LargePools;

namespace Mesh.Core.Tests.Scheduling;

/// <summary>Requests that name endpoints: what passes the filters of the few is what passes those of all, in the same order.</summary>
public sealed class NamedEndpointsTests
{
    private const int Endpoints = 300;
    private readonly EndpointTable _endpoints = new(new ModelCatalog());
    private readonly BackendTable _backends;
    private readonly NamedEndpoints _named;

    public NamedEndpointsTests()
    {
        // Slots are not in the order of the configuration: it comes in two parts, and the first backend's endpoints last.
        _endpoints.Reconfigure(Config(["b"]));
        var config = Config(["a", "b", "c"]);
        _endpoints.Reconfigure(config);
        _backends = new BackendTable(config, new Locality(), _endpoints.Configured, null, TimeSpan.Zero, _ => null);
        _named = new NamedEndpoints(_endpoints);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void In_AnySubset_PassesAsAmongAll(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var workspace = new SchedulingWorkspace();
        var few = 0;
        for (var round = 0; round < 500; round++)
        {
            for (var i = 0; i < 5; i++) _endpoints.Configured[random.NextInt32(Endpoints)].Observe(random.NextInt32(3) > 0 ? EndpointHealth.Healthy : EndpointHealth.Unhealthy);
            var request = LargePool.Request([], 100) with
            {
                // Unknown ones and repetitions among them.
                Subset = [.. Enumerable.Range(0, 1 + random.NextInt32(12)).Select(_ => IdOf("abcx"[random.NextInt32(4)].ToString(), random.NextInt32(20) * 5))],
                Excluded = [.. Enumerable.Range(0, random.NextInt32(3)).Select(_ => IdOf("b", random.NextInt32(100)))],
            };
            var context = new SchedulingContext(in request, null, _endpoints, new SampleFreshness(0, 1), new Decay(0, 1));
            var range = random.NextInt32(2) == 0 ? Range.All : _backends.RangeOf(random.NextInt32(3));
            var all = BuiltInProfiles.LeastLoad.Filter(in context, _endpoints.Configured[range], workspace, default, out _).ToArray();
            var named = _named.In(in context, _backends, range);
            if (!named.IsEmpty) few++;
            var passed = BuiltInProfiles.LeastLoad.Filter(in context, named, workspace, default, out _).ToArray();
            Assert.True(named.IsEmpty || all.SequenceEqual(passed), $"seed {seed}, round {round}");
            if (all.Length > 0 && request.Subset.Length <= 12 && range.Equals(Range.All)) Assert.False(named.IsEmpty);
        }

        Assert.True(few > 200, $"{few} of 500");
    }

    [Fact]
    public void In_NoneOrMostNamed_IsEmpty()
    {
        var anywhere = LargePool.Request([], 100);
        var context = new SchedulingContext(in anywhere, null, _endpoints, new SampleFreshness(0, 1), new Decay(0, 1));
        Assert.True(_named.In(in context, _backends, Range.All).IsEmpty);
        var most = anywhere with { Subset = [.. Enumerable.Range(0, 100).Select(i => IdOf("a", i))] };
        context = new SchedulingContext(in most, null, _endpoints, new SampleFreshness(0, 1), new Decay(0, 1));
        Assert.True(_named.In(in context, _backends, Range.All).IsEmpty);
    }

    private static EndpointId IdOf(string cluster, int number) => new($"{cluster}.{number:000}:8000");

    private static PoolConfig Config(string[] clusters) => new()
    {
        Id = LargePool.Id,
        Backends = [.. clusters.Select(c => new BackendConfig
        {
            Id = new BackendId(c, "zone", 8000),
            Region = "region",
            Endpoints = [.. Enumerable.Range(0, 100).Select(i => new EndpointConfig { Id = IdOf(c, i), PodName = $"pod-{c}-{i}" })],
        })],
    };
}
