using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Leases;

/// <summary>A state that begins anew estimates what is outstanding as the one before it did, by what the gateways announce.</summary>
public sealed class AnnouncedWorkTests
{
    private const int Endpoints = 4;
    private static readonly GatewaySession Other = new("other", 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Announce_NewEpoch_CostsAreThoseOfBefore(ulong seed)
    {
        var run = new Run(seed);
        run.Play(1500, load: 1);
        var before = run.Costs(run.Pool.State);

        // In another order than they were made, and gateway by gateway.
        var after = run.Next();
        foreach (var session in new[] { Other, PoolFixture.Session }) after.Announce(session, run.Held(session));
        var costs = run.Costs(after);

        Assert.True(before.Sum(c => c.WaitMs) > 100, "nothing was outstanding");
        for (var i = 0; i < Endpoints; i++)
        {
            // Of a first byte whose lease has ended since, nobody tells: the work is off by no more than the prompt that it was earlier, or later, by.
            Assert.InRange(costs[i].WaitMs - before[i].WaitMs, -run.LongestPromptMs, run.LongestPromptMs);
            Assert.Equal(before[i].DecodeMs, costs[i].DecodeMs, 6);
            Assert.Equal(before[i].PredictedTpotMs, costs[i].PredictedTpotMs, 6);
            Assert.Equal(before[i].InFlightRequests, costs[i].InFlightRequests);
        }
        // How busy the pool has been of late is learned anew, and weighs in the cost.
        Assert.InRange(costs.Sum(c => c.CostMs), 0.95 * before.Sum(c => c.CostMs), 1.05 * before.Sum(c => c.CostMs));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Leases_HandedOver_CostsAreThoseOfBefore(ulong seed)
    {
        var run = new Run(seed);
        run.Play(1500, load: 1);
        var before = run.Costs(run.Pool.State);

        var after = run.Next();
        foreach (var session in run.Pool.State.Leases(null, null, int.MaxValue).ToLookup(l => l.Session, l => l.ToHeld())) after.Announce(session.Key, [.. session]);

        Assert.Equal(run.Pool.State.Leases(null, null, int.MaxValue).OrderBy(l => l.Id.Sequence), after.Leases(null, null, int.MaxValue).OrderBy(l => l.Id.Sequence));
        var costs = run.Costs(after);
        for (var i = 0; i < Endpoints; i++) Assert.InRange(costs[i].WaitMs - before[i].WaitMs, -run.LongestPromptMs, run.LongestPromptMs);
    }

    [Fact]
    public void Announce_ThenAllEnd_NothingIsLeft()
    {
        var run = new Run(7);
        run.Play(400);
        var after = run.Next();
        foreach (var session in new[] { Other, PoolFixture.Session })
        {
            var held = run.Held(session);
            after.Announce(session, held);
            foreach (var lease in held)
            {
                after.ReportFirstByte(lease.Lease);
                Assert.True(after.Complete(lease.Lease, new RequestOutcome(OutcomeKind.Success, 100, 0, 500)));
            }
        }

        var idle = run.Next();
        Assert.Equal(run.Costs(idle), run.Costs(after));
        Assert.All(after.Snapshot().Backends.SelectMany(b => b.Endpoints), e => Assert.Equal((1.0, 1.0), (e.PrefillSpeedRatio, e.DecodeSpeedRatio)));
    }

    [Fact]
    public void Announce_WithoutWork_CountsAsBefore()
    {
        var run = new Run(8);
        var after = run.Next();
        after.Announce(Other, [new HeldLease(new LeaseId(1, 1), PoolFixture.Id(0), 5000, 50, FirstByteSeen: false)]);

        var costs = run.Costs(after);
        Assert.Equal((0.0, 1), (costs[0].WaitMs, costs[0].InFlightRequests));
    }

    [Theory]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(-5, -5)]
    public void Announce_ImpossibleWork_StaysATime(float promptMs, float busyMs)
    {
        var run = new Run(9);
        var after = run.Next();
        after.Announce(Other, [new HeldLease(new LeaseId(1, 1), PoolFixture.Id(0), 50, 50, FirstByteSeen: false) { Work = new LeaseWork(promptMs, busyMs), Age = TimeSpan.FromSeconds(-3) }]);

        Assert.InRange(run.Costs(after)[0].WaitMs, 0, 3_600_000);
    }

    /// <summary>A seeded load on endpoints that compute their prompts one after another, slower or faster than predicted, as two gateways see it.</summary>
    private sealed class Run
    {
        private readonly PoolConfig _config = PoolFixture.Config(Endpoints) with { Scheduling = new SchedulingConfig(), Timeout = TimeSpan.FromMinutes(1) };
        private readonly Xoshiro256 _random;
        private readonly List<Sent> _sent = [];
        private readonly double[] _freeAtMs = new double[Endpoints];
        private long _epoch = 1;

        public Run(ulong seed)
        {
            _random = new Xoshiro256(seed);
            Pool = new PoolFixture(_config, seed);
        }

        public PoolFixture Pool { get; }

        public double LongestPromptMs { get; private set; }

        private double NowMs => TimeSpan.FromTicks(Pool.Time.GetTimestamp()).TotalMilliseconds;

        public void Play(int steps, int load = 8)
        {
            for (var step = 0; step < steps; step++)
            {
                Pool.Time.Advance(TimeSpan.FromMilliseconds(1 + _random.NextInt32(load)));
                Happen();
                var session = _random.NextInt32(2) == 0 ? Other : PoolFixture.Session;
                var request = Pool.Request(prompt: 50 + _random.NextInt32(350), output: 400, session: session) with { IsStreaming = _random.NextInt32(4) > 0 };
                var decision = Pool.Route(request);
                if (decision.Kind == RouteKind.Wait) Assert.True(Pool.State.CancelWait(decision.Ticket));
                if (decision.Kind != RouteKind.Send) continue;
                LongestPromptMs = Math.Max(LongestPromptMs, decision.Work.PromptMs);
                var at = Enumerable.Range(0, Endpoints).First(e => PoolFixture.Id(e) == decision.Endpoint);
                _freeAtMs[at] = Math.Max(NowMs, _freeAtMs[at]) + decision.Work.PromptMs * (0.7 + 0.6 * _random.NextDouble());
                _sent.Add(new Sent(decision, request, NowMs, _freeAtMs[at], _freeAtMs[at] + 300 + _random.NextInt32(2000)));
            }
        }

        public HeldLease[] Held(GatewaySession session) =>
        [
            .. _sent.Where(s => s.Request.Session == session).Reverse().Select(s => new HeldLease(s.Decision.Lease, s.Decision.Endpoint, s.Request.PromptTokens, 400, s.HasBegun)
            {
                Work = s.Decision.Work,
                Age = TimeSpan.FromMilliseconds(NowMs - s.SentMs),
                FirstByteAge = TimeSpan.FromMilliseconds(s.HasBegun ? NowMs - s.SeenMs : 0),
                IsWhole = !s.Request.IsStreaming,
            }),
        ];

        /// <summary>A state of the same pool that knows nothing of what is in flight.</summary>
        public PoolState Next()
        {
            var state = new PoolState(_config, Pool.Time, 1, new PoolStateOptions { Epoch = ++_epoch });
            for (var e = 0; e < Endpoints; e++) state.ApplyHealth(PoolFixture.Id(e), EndpointHealth.Healthy);
            return state;
        }

        /// <summary>What a request would cost on each endpoint.</summary>
        public ExplainedCandidate[] Costs(PoolState state)
        {
            var decision = state.Route(Pool.Request(prompt: 1000) with { Explain = true });
            if (decision.Kind == RouteKind.Send) state.Complete(decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
            return [.. state.Decisions()[^1].Candidates.OrderBy(c => c.Endpoint.Address)];
        }

        private void Happen()
        {
            foreach (var sent in _sent.OrderBy(s => s.BeginsMs).ToArray())
            {
                if (!sent.HasBegun && sent.BeginsMs <= NowMs)
                {
                    (sent.HasBegun, sent.SeenMs) = (true, NowMs);
                    Pool.State.ReportFirstByte(sent.Decision.Lease);
                }
                if (sent.EndsMs > NowMs) continue;
                _sent.Remove(sent);
                Assert.True(Pool.Complete(sent.Decision));
            }
        }

        private sealed record Sent(RouteDecision Decision, RouteRequest Request, double SentMs, double BeginsMs, double EndsMs)
        {
            public bool HasBegun { get; set; }

            public double SeenMs { get; set; }
        }
    }
}
