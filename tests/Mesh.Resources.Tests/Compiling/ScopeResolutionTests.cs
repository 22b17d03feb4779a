using Mesh.Core.Randomness;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Compiling;

/// <summary>Scope resolution against a second, plain statement of the rule, over random policies.</summary>
public sealed class ScopeResolutionTests
{
    private static readonly (string Key, string[] Values)[] _labels =
    [
        ("gke.io/cluster-name", ["west", "my-cluster", "east"]),
        ("gke.io/region", ["us-west2", "us-central1", "us-east4"]),
        ("gke.io/zone", ["us-west2-a", "us-central1-a", "us-east4-a"]),
        ("env", ["prod", "dev"]),
    ];

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Load_RandomScopes_FirstMatchingScopeHoldsWholly(ulong seed)
    {
        var random = new Xoshiro256(seed);
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        for (var round = 0; round < 40; round++)
        {
            var scopes = Enumerable.Range(0, 1 + random.NextInt32(5)).Select(i => (Selector: Selector(random), Rate: 10 + i, Scaler: random.NextInt32(101))).ToList(
                );
            directory.Write("west/policy.yaml", """
                apiVersion: networking.gke.io/v1
                kind: GCPBackendPolicy
                metadata: {name: random}
                spec:
                  targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}
                  default:
                    scopes:

                """ + string.Concat(scopes.Select(s =>
                $"    - selector: {{{string.Join(", ", s.Selector.Select(l => $"{l.Key}: {l.Value}"))}}}\n      maxRatePerEndpoint: {s.Rate}\n      capacityScalerPercent: {s.Scaler}\n")));

            var result = ManifestLoader.Load(directory.Path);

            Assert.True(result.Config is not null, $"seed {seed}, round {round}: {string.Join('\n', result.Diagnostics)}");
            foreach (var (backend, effective) in result.Config.Pools[0].Backends.Zip(result.Effective[0].Backends))
            {
                var cluster = result.Config.Clusters.Single(c => c.Name == backend.Id.Cluster);
                var expected = scopes.FindIndex(s => s.Selector.All(l => cluster.Labels.TryGetValue(l.Key, out var v) && v == l.Value));
                var message = $"seed {seed}, round {round}, {backend.Id}";
                Assert.True(expected == (effective.Scope ?? -1), message);
                Assert.True((expected < 0 ? null : (double?)scopes[expected].Rate) == backend.Settings.MaxRatePerEndpoint, message);
                Assert.True(
                    Math.Abs((expected < 0 ? 1 : scopes[expected].Scaler / 100.0) - backend.Settings.CapacityScaler) < 1e-9, message);
                if (expected < 0) continue;

                // N·X·s, with the very numbers.
                Assert.Equal(2 * scopes[expected].Rate * scopes[expected].Scaler / 100.0, Assert.Single(effective.Capacity).Value, 6);
            }

            // A scope that holds for no backend is always told of, and no other is.
            var held = result.Effective[0].Backends.Where(b => b.Scope is not null).Select(b => b.Scope!.Value).ToHashSet();
            for (var i = 0; i < scopes.Count; i++)
            {
                var isTold = result.Diagnostics.Any(d => d.Code is "scope-shadowed" or "scope-matches-nothing" && d.Path.StartsWith($"spec.default.scopes[{i}]", StringComparison.Ordinal));
                Assert.True(isTold != held.Contains(i), $"seed {seed}, round {round}, scope {i}");
            }
        }
    }

    private static Dictionary<string, string> Selector(Xoshiro256 random)
    {
        var selector = new Dictionary<string, string>();
        for (var i = random.NextInt32(3); i >= 0; i--)
        {
            var (key, values) = _labels[random.NextInt32(_labels.Length)];
            selector[key] = values[random.NextInt32(values.Length)];
        }

        return selector;
    }
}
