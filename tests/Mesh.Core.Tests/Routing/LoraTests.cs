using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

public sealed class LoraTests
{
    [Fact]
    public void StateOf_BySampleAndRequestsInFlight()
    {
        var adapters = new EndpointAdapters();
        var sample = Sample(0, 2, ["a"], ["c"]);
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("a", null));
        Assert.Equal(AdapterState.Active, adapters.StateOf("a", sample));
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("b", sample));

        // One more of the router's own fills the second slot.
        adapters.Add("b");
        adapters.Add("b");
        Assert.Equal(AdapterState.Active, adapters.StateOf("b", sample));
        Assert.Equal(AdapterState.Waiting, adapters.StateOf("c", sample));
        Assert.Equal(AdapterState.Full, adapters.StateOf("d", sample));
        adapters.Remove("b");
        Assert.Equal(AdapterState.Full, adapters.StateOf("d", sample));
        adapters.Remove("b");
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("d", sample));
        Assert.Equal(AdapterState.Loaded, adapters.StateOf("b", sample));
        // Two others run: nothing of it is left in a slot.
        Assert.Equal(AdapterState.Full, adapters.StateOf("b", Sample(0, 2, ["a", "c"], [])));
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("d", sample with { MaxLoras = null, RunningAdapters = ["a", "b", "c"] }));
    }

    [Fact]
    public void StateOf_UsedLongestAgo_IsPushedOutOfItsSlot()
    {
        var adapters = new EndpointAdapters();
        var sample = Sample(0, 2, [], []);
        Use("a");
        Use("b");
        Assert.Equal(AdapterState.Loaded, adapters.StateOf("a", sample));
        Use("a");
        Use("c");
        Assert.Equal(AdapterState.Loaded, adapters.StateOf("a", sample));
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("b", sample));
        Assert.Equal(AdapterState.Loaded, adapters.StateOf("c", sample));

        adapters.Add("a");
        adapters.ForgetLoaded();
        Assert.Equal(AdapterState.Active, adapters.StateOf("a", sample));
        Assert.Equal(AdapterState.FreeSlot, adapters.StateOf("c", sample));

        void Use(string name)
        {
            adapters.Add(name);
            adapters.StateOf(name, sample);
            adapters.Remove(name);
        }
    }

    [Fact]
    public void Route_ManyUseTheAdapter_EveryEndpointLoadsItAndTakesItsShare()
    {
        var pool = Pool(8);
        for (var i = 0; i < 8; i++) pool.State.Apply(Sample(pool.Time.GetTimestamp(), 4, [], [], i));
        // As 64 clients that ask for the same again and again: short prompts, so that the endpoints differ in little but their streams.
        var streams = new Queue<RouteDecision>();
        for (var i = 0; i < 1000; i++)
        {
            var next = Route(pool, "a");
            pool.State.ReportFirstByte(next.Lease);
            streams.Enqueue(next);
            if (streams.Count > 64) pool.Complete(streams.Dequeue());
        }

        var shares = pool.Endpoints().Select(e => e.InFlightRequests).ToArray();
        Assert.True(shares.Max() <= 1.3 * shares.Min(), string.Join(", ", shares));
    }

    [Fact]
    public void Apply_AsleepEngine_GetsNothingUntilItWakes()
    {
        var pool = Pool(2);
        var sample = new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = pool.Time.GetTimestamp(), IsAsleep = true };
        pool.State.Apply(sample);
        for (var i = 0; i < 20; i++) Assert.Equal(1, End(pool, Route(pool, "base")));
        Assert.Equal(EndpointHealth.Unhealthy, pool.Endpoints().Single(e => e.Id == PoolFixture.Id(0)).Health);

        // A probe that it answers does not wake it.
        pool.State.Apply(new ProbeResult(PoolFixture.Id(0), pool.Time.GetTimestamp(), true));
        Assert.Equal(1, End(pool, Route(pool, "base")));

        pool.State.Apply(sample with { IsAsleep = false });
        Assert.Contains(0, Enumerable.Range(0, 20).Select(_ => End(pool, Route(pool, "base"))));
    }

    [Fact]
    public void Route_AdapterRunsSomewhere_GoesThere()
    {
        var pool = Pool(5);
        pool.State.Apply(Sample(pool.Time.GetTimestamp(), 4, ["a"], [], endpoint: 3));
        for (var i = 0; i < 10; i++) Assert.Equal(3, End(pool, Route(pool, "a")));
        Assert.True(Enumerable.Range(0, 40).Select(_ => End(pool, Route(pool, "base"))).Distinct().Count() > 1);
    }

    [Fact]
    public void Route_AnotherHasAFreeSlotAndAThirdNone_PrefersTheFreeSlot()
    {
        var pool = Pool(3);
        var now = pool.Time.GetTimestamp();
        pool.State.Apply(Sample(now, 1, ["x"], [], 0));
        pool.State.Apply(Sample(now, 1, ["y"], ["a"], 1));
        pool.State.Apply(Sample(now, 2, ["x"], [], 2));
        Assert.Equal(2, End(pool, Route(pool, "a")));
        pool.State.Apply(Sample(now, 1, ["x"], [], 2));
        Assert.Equal(1, End(pool, Route(pool, "a")));
    }

    [Fact]
    public void Route_OwnRequestsInFlight_CountAsActiveWithoutASample()
    {
        var pool = Pool(6);
        pool.State.Apply(Sample(pool.Time.GetTimestamp(), 4, [], ["a"], 0));
        pool.Time.Advance(TimeSpan.FromSeconds(2));
        var first = Route(pool, "a");
        pool.State.ReportFirstByte(first.Lease);

        for (var i = 0; i < 10; i++)
        {
            var next = Route(pool, "a");
            Assert.Equal(first.Endpoint, next.Endpoint);
            pool.Complete(next);
        }
    }

    [Fact]
    public void Route_TheOneWithTheAdapterIsBusy_OthersTakeOver()
    {
        var pool = Pool(4);
        pool.State.Apply(Sample(pool.Time.GetTimestamp(), 4, ["a"], [], 0));

        // 1,500 tokens are some 40 ms each: no endpoint gets more than two ahead of the others.
        for (var i = 0; i < 16; i++) pool.Route(Request(pool, "a", 1500));

        var most = pool.Endpoints().Max(e => e.InFlightRequests + e.WaitingRequests);
        Assert.True(most <= 6, $"{most} of 16 on one of four endpoints");
        Assert.All(pool.Endpoints(), e => Assert.True(e.InFlightRequests + e.WaitingRequests >= 2));
    }

    [Fact]
    public void Apply_EngineRestarted_ItsPrefixesAreForgotten()
    {
        var pool = Pool(4);
        ulong[] chain = [1, 2, 3, 4, 5, 6, 7, 8];
        var request = Request(pool, "m", 2000) with { PrefixChain = chain };
        var first = pool.Route(request);
        var home = Index(first);
        pool.State.ReportFirstByte(first.Lease);
        var sample = new EndpointSample { Endpoint = PoolFixture.Id(home), Timestamp = pool.Time.GetTimestamp(), EngineStarted = 100 };
        pool.State.Apply(sample);
        pool.State.Apply(sample);
        pool.State.Apply(sample with { EngineStarted = null });
        // A stream runs there already, but the prompt is worth it.
        var second = pool.Route(request);
        Assert.Equal(home, Index(second));
        pool.State.ReportFirstByte(second.Lease);

        pool.State.Apply(sample with { EngineStarted = 200 });

        Assert.NotEqual(home, Index(pool.Route(request)));
    }

    private static EndpointSample Sample(long timestamp, int? slots, string[] running, string[] waiting, int endpoint = 0) => new()
    {
        Endpoint = PoolFixture.Id(endpoint),
        Timestamp = timestamp,
        MaxLoras = slots,
        RunningAdapters = [.. running],
        WaitingAdapters = [.. waiting],
    };

    private static PoolFixture Pool(int endpoints) => new(MeshWorld.Config(endpoints));

    private static RouteRequest Request(PoolFixture pool, string model, int prompt) => pool.Request(model, prompt) with { IsStreaming = true };

    private static RouteDecision Route(PoolFixture pool, string model) => pool.Route(Request(pool, model, 100));

    private static int Index(RouteDecision decision) => Enumerable.Range(0, 10).First(i => PoolFixture.Id(i) == decision.Endpoint);

    private static int End(PoolFixture pool, RouteDecision decision)
    {
        pool.Complete(decision);
        return Index(decision);
    }
}
