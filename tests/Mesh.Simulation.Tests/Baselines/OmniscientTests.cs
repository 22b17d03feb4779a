using Mesh.Core.Randomness;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Tests.World;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.Baselines;

public class OmniscientTests
{
    private const int Requests = 60;
    private const double MostStepMs = 21;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Forecast_NothingMoreArrives_IsWhatHappens(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var router = new ForecastingRouter();
        var fixture = new WorldFixture();
        var rows = Enumerable.Range(0, Requests)
            .Select(i => WorldFixture.Row(i * 40, 1 + random.NextInt32(12_000), 1 + random.NextInt32(100))).ToArray();
        fixture.Run(WorldFixture.Options(), _ => router, rows);
        // Later arrivals do not delay the first token of one that is there, but it may just miss a step that has begun.
        Assert.All(fixture.Ends, e => Assert.Equal(e.TtftMs, router.Ttfts[(int)e.Number], MostStepMs));
        var still = fixture.Ends.Where(e => e.ArrivedMs + e.E2eMs - 0.5 > router.LastPickMs).ToList();
        Assert.True(still.Count > 10, $"{still.Count} are left when the last arrives");
        Assert.InRange(router.LastGood, still.Count(e => e.TtftMs <= 2000 - MostStepMs), still.Count(e => e.TtftMs <= 2000 + MostStepMs));
    }

    [Fact]
    public void Omniscient_QueueThatMissesTheTarget_IsAvoided()
    {
        // 90,000 tokens take 0.9 s: a third one at the same endpoint would miss 2 s, and the others there would not.
        var fixture = new RouterFixture(new OmniscientRouter(1), endpoints: 2);
        var endpoints = Enumerable.Range(0, 4).Select(_ => fixture.Arrive(90_000).Endpoint).ToList();
        Assert.Equal(2, endpoints.Count(e => e == 0));
    }

    private sealed class ForecastingRouter() : PickerRouter(1)
    {
        private readonly EngineForecast _forecast = new(2000, 50, 0.5);

        public List<double> Ttfts { get; } = [];

        public int LastGood { get; private set; }

        public double LastPickMs { get; private set; }

        protected override int Pick(WorldRequest request)
        {
            _forecast.Play(Host.Engine(0), [], request, Host.Clock.NowMs);
            Ttfts.Add(_forecast.AddedTtftMs);
            LastGood = _forecast.Good;
            LastPickMs = Host.Clock.NowMs;
            return 0;
        }
    }
}
