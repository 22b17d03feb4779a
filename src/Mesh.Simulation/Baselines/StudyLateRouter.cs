using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Least predicted cost with late binding: a request is held until its cheapest endpoint has less than 50 ms of prefill outstanding, and
/// goes to no other meanwhile. Held requests are served in order of their uncached compute, aged by 0.02 ms per ms waited, and their costs
/// are computed afresh whenever something changes.
/// </summary>
internal sealed class StudyLateRouter(double pushedStreamMs = 200, bool exactCache = true) : IWorldRouter
{
    private const double ReadyMs = 50;
    private const double AgingPerMs = 0.02;
    private const double LeastWakeMs = 1;

    private readonly List<WorldRequest> _held = [];
    private IWorldHost? _host;
    private StudyCost? _cost;

    public double ScrapeIntervalMs => 0;

    private IWorldHost Host => _host!;

    private StudyCost Cost => _cost!;

    public void Start(IWorldHost host)
    {
        _host = host;
        _cost = new StudyCost(host, pushedStreamMs, exactCache);
    }

    public void OnArrival(WorldRequest request)
    {
        _held.Add(request);
        Dispatch();
    }

    public void OnFirstByte(WorldRequest request)
    {
        Cost.Endpoints[request.Endpoint].Answer(request, Host.Clock.NowMs);
        Dispatch();
    }

    public void OnEnd(WorldRequest request)
    {
        Cost.Endpoints[request.Endpoint].End(request, Host.Clock.NowMs);
        Dispatch();
    }

    public void OnScrape(int endpoint, in EngineGauges gauges)
    {
    }

    public void OnWake() => Dispatch();

    private void Dispatch()
    {
        var wakeInMs = 0.0;
        while (_held.Count > 0)
        {
            // Most of the time no endpoint is ready, and then nobody's cheapest one is.
            var leastWaitMs = Cost.Refresh();
            wakeInMs = leastWaitMs - ReadyMs;
            if (wakeInMs >= 0) break;
            wakeInMs = double.PositiveInfinity;
            var next = -1;
            var nextKey = double.PositiveInfinity;
            var nextChoice = default(StudyChoice);
            for (var i = 0; i < _held.Count; i++)
            {
                var choice = Cost.Cheapest(_held[i]);
                if (choice.WaitMs >= ReadyMs)
                {
                    wakeInMs = Math.Min(wakeInMs, choice.WaitMs - ReadyMs);
                    continue;
                }

                // All keys fall by the same amount as time passes, so arrival time stands for age.
                var key = choice.OwnMs + (AgingPerMs * _held[i].ArrivedMs);
                if (key >= nextKey) continue;
                next = i;
                nextKey = key;
                nextChoice = choice;
            }

            if (next < 0) break;
            var request = _held[next];
            _held.RemoveAt(next);
            Cost.Send(request, in nextChoice);
            Host.Send(request, nextChoice.Endpoint);
        }

        if (_held.Count > 0) Host.WakeAt(Host.Clock.NowMs + Math.Max(LeastWakeMs, wakeInMs));
    }
}
