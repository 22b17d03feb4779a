using Mesh.Core.Config;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>
/// Holds the requests that a backend gets against its target rate: in any time, those that came and were sent within it are no more than rate · time and what
/// a burst may be, 200 ms of the rate and four at least.
/// </summary>
internal sealed class RateJudge(Journal journal, TimeProvider time)
{
    private const double BurstSeconds = 0.2;
    private const double LeastBurst = 4;
    private const double LongestSeconds = 3;
    private readonly Dictionary<BackendId, List<long>> _arrivals = [];
    private long _since = time.GetTimestamp();

    /// <summary>Begins anew, with other rates: who came before has its place already.</summary>
    public void Start()
    {
        _arrivals.Clear();
        _since = time.GetTimestamp();
    }

    /// <summary>A request was sent to a backend within its target.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="waitedSince">When it began to wait; null when it was placed at once.</param>
    public void OnPlaced(BackendConfig backend, long? waitedSince)
    {
        var now = time.GetTimestamp();
        var cameAt = waitedSince ?? now;
        if (cameAt < _since) return;
        if (!_arrivals.TryGetValue(backend.Id, out var arrivals)) _arrivals.Add(backend.Id, arrivals = []);
        arrivals.Add(cameAt);
        arrivals.RemoveAll(a => time.GetElapsedTime(a, now).TotalSeconds > LongestSeconds);
        arrivals.Sort();
        var rate = backend.Settings.MaxRatePerEndpoint!.Value * backend.Endpoints.Length * backend.Settings.CapacityScaler;
        var burst = Math.Max(LeastBurst, BurstSeconds * rate);
        for (var i = 0; i < arrivals.Count; i++)
        {
            var seconds = time.GetElapsedTime(arrivals[i], now).TotalSeconds;
            if (arrivals.Count - i <= burst + (rate * seconds) + 1e-6) continue;
            journal.Break($"{backend.Id} got {arrivals.Count - i} requests within {seconds:0.000} s above its target of {rate} per second");
            return;
        }
    }
}
