using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Tests.SpillOver;

/// <summary>A few backends and the selector over them, on a clock that the test moves.</summary>
internal sealed class SpillOverFixture
{
    private readonly bool[] _ruledOut;

    public SpillOverFixture(TrafficDistributionConfig settings, Locality locality, params BackendConfig[] backends)
    {
        Backends = backends.Select(b => new BackendLoad(b) { HealthyCount = b.Endpoints.Length }).ToArray();
        var plan = TierPlan.Create(backends, locality, settings.Algorithm);
        Selector = new BackendSelector(plan, Backends, settings);
        _ruledOut = new bool[backends.Length];
    }

    public static Locality West { get; } = new() { Region = "west", Zone = "west-a" };

    public BackendLoad[] Backends { get; }

    public BackendSelector Selector { get; }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(1);

    public static BackendConfig Backend(string region, int endpoints, BackendSettings settings, string zone = "a") => new()
    {
        Id = new BackendId($"{region}-cluster", $"{region}-{zone}", 8000),
        Region = region,
        Settings = settings,
        Endpoints = Enumerable.Range(0, endpoints)
            .Select(i => new EndpointConfig { Id = new EndpointId($"{region}{zone}{i}:8000"), PodName = $"p{i}" })
            .ToImmutableArray(),
    };

    /// <summary>Places one request on endpoint 0 of the chosen backend; −1 when none was.</summary>
    public BackendChoice Place(int endpoint = 0)
    {
        var choice = Selector.Select(Now, _ruledOut);
        if (choice.Backend < 0) return choice;
        Selector.OnChosen(choice);
        Backends[choice.Backend].OnPlaced(endpoint, Now, choice.Kind is ChoiceKind.FirstTier or ChoiceKind.Overflow);
        return choice;
    }

    /// <summary>Offers evenly spaced requests and returns how many per second each backend got.</summary>
    public double[] OfferPerSecond(double perSecond, double seconds)
    {
        var counts = new int[Backends.Length];
        var start = Now;
        var total = (int)(perSecond * seconds);
        for (var i = 0; i < total; i++)
        {
            Now = start + TimeSpan.FromSeconds(i / perSecond);
            counts[Place().Backend]++;
        }
        Now = start + TimeSpan.FromSeconds(seconds);
        return counts.Select(c => c / seconds).ToArray();
    }
}
