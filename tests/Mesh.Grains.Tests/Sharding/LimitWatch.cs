using System.Collections.Concurrent;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Gateways;

namespace Mesh.Grains.Tests.Sharding;

/// <summary>Many callers that place requests and hold them for a moment, and a count of how many are in flight at a time.</summary>
internal sealed class LimitWatch(int limit)
{
    private readonly ConcurrentDictionary<LeaseId, bool> _leases = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private CancellationTokenSource _stop = new();
    private int _placed;
    private int _inFlight;
    private bool _measures;

    /// <summary>Requests that were placed.</summary>
    public int Placed => Volatile.Read(ref _placed);

    /// <summary>What went wrong; empty when nothing did.</summary>
    public string Failures => string.Join("; ", _failures.Take(5));

    /// <summary>From now on the limit counts exactly; before, a quarter more does.</summary>
    public void Measure() => Volatile.Write(ref _measures, true);

    /// <summary>Starts the callers.</summary>
    public Task Run(GrainEngine[] gateways, int callers)
    {
        _stop = new CancellationTokenSource();
        return Task.WhenAll(Enumerable.Range(0, callers).Select(i => Task.Run(() => CallAsync(gateways[i % gateways.Length], i))));
    }

    /// <summary>Stops them.</summary>
    public async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        _stop.Dispose();
    }

    private async Task CallAsync(GrainEngine gateway, int caller)
    {
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var decision = await gateway.Router.RouteAsync(
                new RouteRequest
                {
                    RequestId = $"r{caller}-{i}",
                    Pool = SimulatedEndpoints.PoolId,
                    Session = gateway.Session,
                    FairnessId = "",
                    PromptTokens = 10,
                    MaxOutputTokens = 10,
                    PrefixChain = new[] { (ulong)((caller * 7919) + i) },
                },
                default).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            if (decision.Kind != RouteKind.Send)
            {
                _failures.Enqueue($"{decision.Kind} {decision.Reason}");
                continue;
            }
            if (!_leases.TryAdd(decision.Lease, true)) _failures.Enqueue($"lease {decision.Lease} given twice");
            var now = Interlocked.Increment(ref _inFlight);
            if (now > limit * (Volatile.Read(ref _measures) ? 1 : 1.25)) _failures.Enqueue($"{now} requests at a time");
            await Task.Delay(5);
            Interlocked.Decrement(ref _inFlight);
            gateway.Router.Complete(SimulatedEndpoints.PoolId, decision.Lease, new RequestOutcome(OutcomeKind.Success));
            Interlocked.Increment(ref _placed);
        }
    }
}
