using Mesh.Core.Randomness;

namespace Mesh.Scenarios;

/// <summary>Random times of one stream of arrivals, from numbers of its own: what another stream does changes nothing here.</summary>
internal sealed class RequestDraw(Scenario scenario, int stream)
{
    private readonly Xoshiro256 _gaps = new(scenario.Seed * 1_000_003 + (ulong)stream * 2);
    private readonly Xoshiro256 _services = new(scenario.Seed * 1_000_003 + (ulong)stream * 2 + 1);
    private readonly ScenarioArrivals _arrivals = scenario.Arrivals[stream];

    public TimeSpan Gap() => TimeSpan.FromSeconds((_arrivals.Kind == ArrivalKind.Poisson ? Exponential(_gaps) : 1) / _arrivals.PerSecond);

    public TimeSpan Service() => TimeSpan.FromSeconds(_arrivals.ServiceSeconds * _arrivals.Service switch
    {
        ServiceKind.Exponential => Exponential(_services),
        ServiceKind.Uniform => 0.5 + _services.NextDouble(),
        _ => 1,
    });

    private static double Exponential(Xoshiro256 random) => -Math.Log(1 - random.NextDouble());
}
