using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Testing;

namespace Mesh.Core.Tests.Routing;

/// <summary>Random operations, reproducible from the seed that a failure prints.</summary>
public sealed class PoolStatePropertyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20260101)]
    public void TenThousandOperations_TwoInstances_GiveEqualTraces(ulong seed)
    {
        var first = new RandomRun(seed);
        var second = new RandomRun(seed);

        for (var i = 0; i < 10_000; i++)
        {
            var expected = first.Step();
            var actual = second.Step();
            Assert.True(expected == actual, $"seed {seed}, operation {i}: {expected} and {actual}");
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void TenThousandOperations_CountsAlwaysAddUpAndNothingFilteredIsChosen(ulong seed)
    {
        var run = new RandomRun(seed);
        for (var i = 0; i < 10_000; i++)
        {
            run.Step();
            var snapshot = run.State.Snapshot();
            EndpointSnapshot[] endpoints = [.. snapshot.Backends.SelectMany(b => b.Endpoints)];
            var where = $"seed {seed}, operation {i}";
            Assert.True(snapshot.Leases == run.Held.Count, $"{where}: {snapshot.Leases} leases, {run.Held.Count} held");
            Assert.True(endpoints.Sum(e => e.InFlightRequests) == snapshot.Leases, $"{where}: in flight is not the sum of the leases");
            Assert.True(endpoints.Sum(e => e.InFlightTokens) == run.Held.Sum(h => (long)h.Tokens), $"{where}: tokens do not add up");
            Assert.True(
                endpoints.All(e => e is { InFlightRequests: >= 0, InFlightTokens: >= 0, InFlightPrefillTokens: >= 0, FailureLoadRequests: >= 0 and <= FailureLoad.MaxRequests }),
                $"{where}: a count is out of its bounds");
            Assert.True(endpoints.All(e => !e.Draining || e.InFlightRequests > 0), $"{where}: an endpoint drains without a lease");
            Assert.True(run.Violation is null, $"{where}: {run.Violation}");
        }

        Assert.True(run.Sent > 1000, $"seed {seed}: only {run.Sent} requests were sent");
    }

    private sealed class RandomRun
    {
        private const int Numbers = 12;
        private static readonly string[] ModelNames = ["a", "b", "c"];
        private readonly ManualTimeProvider _time = new();
        private readonly Xoshiro256 _random;
        private readonly GatewaySession[] _sessions = [new("g", 1), new("g", 2), new("h", 1)];
        private readonly Dictionary<GatewaySession, long> _lastSeen = [];
        private readonly HashSet<int> _configured = [.. Enumerable.Range(0, Numbers)];

        public RandomRun(ulong seed)
        {
            _random = new Xoshiro256(seed);
            State = new PoolState(PoolFixture.Config(Numbers), _time, seed + 1);
        }

        public PoolState State { get; }

        public List<(RouteDecision Decision, GatewaySession Session, int Tokens)> Held { get; } = [];

        public string? Violation { get; private set; }

        public int Sent { get; private set; }

        public string Step()
        {
            switch (_random.NextInt32(20))
            {
                case < 8: return Route();
                case < 13: return Complete();
                case 13:
                    if (Held.Count > 0) State.ReportFirstByte(Held[_random.NextInt32(Held.Count)].Decision.Lease);
                    return "first byte";
                case 14: return State.Apply(new ProbeResult(Id(), _time.GetTimestamp() - _random.NextInt32(3), _random.NextInt32(4) != 0)).ToString();
                case 15:
                    var (kv, waiting) = (_random.NextDouble(), _random.NextInt32(9));
                    return State.Apply(new EndpointSample
                    {
                        Endpoint = Id(),
                        Timestamp = _time.GetTimestamp() - _random.NextInt32(3),
                        KvUtilizationRatio = kv,
                        WaitingRequests = waiting == 8 ? null : waiting,
                    }).ToString();
                case 16: return State.ApplyModels(Id(), _random.NextInt32(2) == 0 ? default : [ModelNames[_random.NextInt32(3)]]).ToString();
                case 17:
                    var beating = _sessions[_random.NextInt32(3)];
                    _lastSeen[beating] = _time.GetTimestamp();
                    return State.Heartbeat(beating).ToString();
                case 18: return Reconfigure();
                default: return Tick();
            }
        }

        private EndpointId Id() => PoolFixture.Id(_random.NextInt32(Numbers));

        private string Route()
        {
            var session = _sessions[_random.NextInt32(3)];
            _lastSeen[session] = _time.GetTimestamp();
            var request = new RouteRequest
            {
                RequestId = "r",
                Pool = PoolFixture.PoolName,
                Session = session,
                FairnessId = "",
                Model = _random.NextInt32(3) == 0 ? ModelNames[_random.NextInt32(3)] : null,
                PromptTokens = _random.NextInt32(5000),
                MaxOutputTokens = 1 + _random.NextInt32(500),
                Subset = _random.NextInt32(5) == 0 ? [Id(), Id(), Id()] : default,
                Excluded = _random.NextInt32(5) == 0 ? [Id()] : default,
            };

            var before = State.Snapshot();
            var decision = State.Route(in request);
            if (decision.Kind == RouteKind.Refuse) return decision.ToString();
            Sent++;
            Held.Add((decision, session, request.PromptTokens + request.MaxOutputTokens));
            var chosen = before.Backends.SelectMany(b => b.Endpoints).Single(e => e.Id == decision.Endpoint);
            if (chosen.Health != EndpointHealth.Healthy) Violation = "chosen though not healthy";
            if (chosen.Draining) Violation = "chosen though draining";
            if (request.Model is not null && !chosen.Models.IsDefault && !chosen.Models.Contains(request.Model)) Violation = "chosen without the model";
            if (!request.Subset.IsDefault && !request.Subset.Contains(chosen.Id)) Violation = "chosen outside the subset";
            if (!request.Excluded.IsDefault && request.Excluded.Contains(chosen.Id)) Violation = "chosen though excluded";
            return decision.ToString();
        }

        private string Complete()
        {
            if (Held.Count == 0) return "nothing held";
            var index = _random.NextInt32(Held.Count);
            var lease = Held[index].Decision.Lease;
            Held.RemoveAt(index);
            if (!State.Complete(lease, new RequestOutcome((OutcomeKind)_random.NextInt32(8)))) Violation = "a lease was lost";
            if (State.Complete(lease, new RequestOutcome(OutcomeKind.Success))) Violation = "a lease ended twice";
            return lease.ToString();
        }

        private string Reconfigure()
        {
            var number = _random.NextInt32(Numbers);
            if (!_configured.Remove(number)) _configured.Add(number);
            State.Reconfigure(PoolFixture.Config(_configured));
            return $"{_configured.Count} endpoints";
        }

        private string Tick()
        {
            _time.Advance(TimeSpan.FromMilliseconds(_random.NextInt32(2500)));
            var now = _time.GetTimestamp();
            Held.RemoveAll(h => now - _lastSeen[h.Session] >= TimeSpan.FromSeconds(5).Ticks);
            return State.Tick()?.ToString() ?? "asleep";
        }
    }
}
