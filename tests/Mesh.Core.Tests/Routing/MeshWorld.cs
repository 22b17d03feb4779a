using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.StepTimes;

namespace Mesh.Core.Tests.Routing;

/// <summary>
/// Endpoints that compute prompts one after the other in virtual time, and a pool of profile mesh that sends to them. Nothing happens
/// but at events: arrivals, first bytes, ends, and the pool's own ticks.
/// </summary>
internal sealed class MeshWorld
{
    private static readonly WorkCurve Curve = new(H100Llama8B.Table);
    private readonly PriorityQueue<Event, (long At, long Order)> _events = new();
    private readonly Dictionary<long, (RouteRequest Request, long ArrivedAt)> _waiting = [];
    private readonly long[] _freeAt;
    private readonly double[] _slowness;
    private readonly TimeSpan _decode;
    private long _order;
    private long _tickAt;

    /// <param name="slowness">Prompt times over the table's, one per endpoint.</param>
    /// <param name="decode">From the first byte to the end.</param>
    /// <param name="seed">Seed of the pool.</param>
    public MeshWorld(double[] slowness, TimeSpan decode, ulong seed = 1)
    {
        _slowness = slowness;
        _decode = decode;
        _freeAt = new long[slowness.Length];
        SentTo = new int[slowness.Length];
        Pool = new PoolFixture(Config(slowness.Length), seed);
    }

    public PoolFixture Pool { get; }

    /// <summary>Requests ever sent, by endpoint.</summary>
    public int[] SentTo { get; }

    public int Waiting => _waiting.Count;

    public List<string> Trace { get; } = [];

    /// <summary>Arrival, endpoint and time to the first token in milliseconds, in the order of first tokens.</summary>
    public List<(long ArrivedAt, int Endpoint, double Ms)> FirstTokens { get; } = [];

    public static PoolConfig Config(int endpoints) =>
        PoolFixture.Config(endpoints) with { Scheduling = new SchedulingConfig(), Timeout = TimeSpan.FromMinutes(5) };

    public static double PromptMs(int tokens) => Curve.PromptMs(tokens, 0);

    public void Arrive(int promptTokens, ReadOnlyMemory<ulong> chain = default)
    {
        var request = Pool.Request(prompt: promptTokens) with { IsStreaming = true, PrefixChain = chain };
        var decision = Pool.Route(request);
        var now = Pool.Time.GetTimestamp();
        if (decision.Kind == RouteKind.Wait) _waiting.Add(decision.Ticket, (request, now));
        else Begin(in request, decision, now);
        TakeDecided();
        Tick();
    }

    /// <summary>Lets everything happen up to a time, or until nobody waits.</summary>
    public void Run(long until, bool untilNobodyWaits = false)
    {
        while (!(untilNobodyWaits && _waiting.Count == 0))
        {
            var next = Math.Min(_tickAt, _events.TryPeek(out _, out var first) ? first.At : long.MaxValue);
            if (next > until) break;
            MoveTo(next);
            while (_events.TryPeek(out var due, out var key) && key.At <= next)
            {
                _events.Dequeue();
                Happen(due, next);
            }
            TakeDecided();
            Tick();
        }
        if (!untilNobodyWaits) MoveTo(until);
    }

    private void MoveTo(long at) => Pool.Time.Advance(TimeSpan.FromTicks(Math.Max(0, at - Pool.Time.GetTimestamp())));

    private void Happen(Event due, long now)
    {
        if (due.IsEnd)
        {
            Assert.True(Pool.State.Complete(due.Lease, new RequestOutcome(OutcomeKind.Success)));
            return;
        }
        FirstTokens.Add((due.ArrivedAt, due.Endpoint, TimeSpan.FromTicks(now - due.ArrivedAt).TotalMilliseconds));
        Pool.State.ReportFirstByte(due.Lease);
        _events.Enqueue(due with { IsEnd = true }, (now + _decode.Ticks, _order++));
    }

    private void TakeDecided()
    {
        while (Pool.State.TryTakeDecided(out var ticket, out var decision))
        {
            Assert.True(_waiting.Remove(ticket, out var waited), $"ticket {ticket} was decided twice");
            Begin(waited.Request, decision, waited.ArrivedAt);
        }
    }

    private void Begin(in RouteRequest request, RouteDecision decision, long arrivedAt)
    {
        Trace.Add($"{Pool.Time.GetTimestamp()} {request.RequestId} {decision}");
        Assert.Equal(RouteKind.Send, decision.Kind);
        var endpoint = Enumerable.Range(0, SentTo.Length).First(i => PoolFixture.Id(i) == decision.Endpoint);
        SentTo[endpoint]++;
        _freeAt[endpoint] = Math.Max(_freeAt[endpoint], Pool.Time.GetTimestamp())
            + TimeSpan.FromMilliseconds(PromptMs(request.PromptTokens) * _slowness[endpoint]).Ticks;
        _events.Enqueue(new Event(false, decision.Lease, endpoint, arrivedAt), (_freeAt[endpoint], _order++));
    }

    // A host sleeps until the pool wants to be called, no shorter than its timers allow.
    private void Tick()
    {
        Pool.State.Heartbeat(PoolFixture.Session);
        var next = Pool.State.Tick();
        TakeDecided();
        _tickAt = next is { } after ? Pool.Time.GetTimestamp() + Math.Max(TimeSpan.TicksPerMillisecond, after.Ticks + 1) : long.MaxValue;
    }

    private readonly record struct Event(bool IsEnd, LeaseId Lease, int Endpoint, long ArrivedAt);
}
