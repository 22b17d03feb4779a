using Mesh.Core.SpillOver;

namespace Mesh.Core.Endpoints;

/// <summary>
/// Endpoints that start slowly: one that is new beside others that run, or that comes back, gets a share of the placements that rises from a
/// tenth of its fair one to the whole of it within the window, evenly:
/// <c>ramp = 0.1 + 0.9 · age / window</c>, <c>share = ramp / Σ ramp</c> over the ready endpoints that it stands beside (of the pool, or of its backend where a
/// policy chooses the backend first; 1 for those that do not start).
/// With every placement each starting endpoint earns its share, and pays 1 for each that it gets. Below 1 it is held back: no profile chooses it while
/// another endpoint can take the request. So it is whatever the profile likes it for, an empty queue above all; and where nobody else is there, it serves all.
/// </summary>
/// <remarks>While nobody starts, this costs a comparison for each placement, and no decision looks at it.</remarks>
internal sealed class SlowStart(TimeSpan window)
{
    private const double LeastRamp = 0.1;

    // So many placements at once may come of what was earned while the profile chose others.
    private const double MostCredit = 2;
    private readonly double _windowMs = window.TotalMilliseconds;
    private readonly List<EndpointState> _starting = [];

    /// <summary>True while some endpoint starts.</summary>
    public bool IsActive => _starting.Count > 0;

    /// <summary>The endpoint is new or has come back: its ramp begins, again where it has begun.</summary>
    public void Begin(EndpointState endpoint, TimeSpan now)
    {
        if (_windowMs <= 0 || endpoint.BackendIndex < 0) return;
        if (!endpoint.IsStarting) _starting.Add(endpoint);
        endpoint.BeginRamp(now.TotalMilliseconds);
    }

    /// <summary>How far an endpoint's share has risen, 0.1–1; 1 for one that does not start.</summary>
    public double RampOf(EndpointState endpoint, TimeSpan now) =>
        endpoint.IsStarting ? Math.Clamp(LeastRamp + ((1 - LeastRamp) * (now.TotalMilliseconds - endpoint.RampFromMs) / _windowMs), LeastRamp, 1) : 1;

    /// <summary>A request was placed.</summary>
    public void OnPlaced(EndpointState chosen, BackendTable backends, TimeSpan now)
    {
        if (_starting.Count == 0) return;
        EndDue(now);

        // :: Step 1: who stands beside each other, and how much all of them are.
        var scope = backends.IsFree ? -1 : chosen.BackendIndex;
        var full = Ready(backends, scope);
        var shares = (double)full;
        foreach (var endpoint in _starting)
        {
            if (!IsIn(endpoint, scope)) continue;
            full--;
            shares -= 1 - RampOf(endpoint, now);
        }

        // :: Step 2: what each has earned. Where all start, nobody need be spared.
        foreach (var endpoint in _starting)
        {
            if (!IsIn(endpoint, scope)) continue;
            endpoint.RampCredit = Math.Min(MostCredit, endpoint.RampCredit + (RampOf(endpoint, now) / Math.Max(1, shares)));
            if (endpoint == chosen) endpoint.RampCredit = Math.Max(-1, endpoint.RampCredit - 1);
            endpoint.IsHeldBack = full > 0 && endpoint.RampCredit < 1;
        }
    }

    /// <summary>Lets those go whose window has ended, or that the configuration no longer names.</summary>
    public void EndDue(TimeSpan now)
    {
        for (var i = _starting.Count - 1; i >= 0; i--)
        {
            var endpoint = _starting[i];
            if (endpoint.BackendIndex >= 0 && now.TotalMilliseconds - endpoint.RampFromMs < _windowMs) continue;
            endpoint.EndRamp();
            _starting.RemoveAt(i);
        }
    }

    /// <summary>Moves those that are not held back to the front and answers how many they are; all of them where all are held back.</summary>
    public static int Keep(Span<EndpointState> candidates)
    {
        var kept = 0;
        foreach (var candidate in candidates)
        {
            if (!candidate.IsHeldBack) kept++;
        }
        if (kept == 0 || kept == candidates.Length) return candidates.Length;
        var to = 0;
        foreach (var candidate in candidates)
        {
            if (!candidate.IsHeldBack) candidates[to++] = candidate;
        }
        return kept;
    }

    private static bool IsIn(EndpointState endpoint, int scope) => endpoint.IsReady && (scope < 0 || endpoint.BackendIndex == scope);

    private static int Ready(BackendTable backends, int scope)
    {
        if (scope >= 0) return backends.Loads[scope].HealthyCount;
        var ready = 0;
        foreach (var load in backends.Loads) ready += load.HealthyCount;
        return ready;
    }
}
