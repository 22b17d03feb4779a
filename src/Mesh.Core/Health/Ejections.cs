using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Health;

/// <summary>
/// Which endpoints of a pool are ejected: at most the allowed share of each backend, and never one whose backend would be left without a
/// ready endpoint. Where health or configuration changes that, those come back first whose time ends first.
/// </summary>
internal sealed class Ejections(EjectionOptions options, EndpointTable endpoints, SlowStart slowStart)
{
    private readonly List<EndpointState> _ejected = [];

    /// <summary>When the first of them returns; null when none is ejected.</summary>
    public TimeSpan? NextReturn
    {
        get
        {
            TimeSpan? next = null;
            foreach (var endpoint in _ejected)
            {
                if (next is null || endpoint.EjectedUntil < next) next = endpoint.EjectedUntil;
            }
            return next;
        }
    }

    /// <summary>Takes the end of a request; true when its endpoint has been ejected for it.</summary>
    public bool OnEnded(EndpointState endpoint, OutcomeKind kind, TimeSpan now, BackendTable backends)
    {
        if (Verdict(kind) is not { } failed || endpoint.BackendIndex < 0) return false;
        if (!endpoint.ObserveEnd(failed, now, options)) return false;
        var (all, ejected, ready) = Count(endpoint.BackendIndex, backends);
        if (ejected + 1 > all * options.MaxEjectedRatio || ready - (IsReady(endpoint) ? 1 : 0) < 1) return false;
        endpoint.Eject(now, options);
        _ejected.Add(endpoint);
        return true;
    }

    /// <summary>Brings back those whose time has ended; true if there were any.</summary>
    public bool ReturnDue(TimeSpan now)
    {
        var before = _ejected.Count;
        for (var i = before - 1; i >= 0; i--)
        {
            if (_ejected[i].EjectedUntil <= now) Return(i, now);
        }
        return _ejected.Count != before;
    }

    /// <summary>Keeps the bounds after a change of health or configuration; true if somebody came back.</summary>
    public bool Review(TimeSpan now, BackendTable backends)
    {
        if (_ejected.Count == 0) return false;
        var before = _ejected.Count;
        // From the end, where those stand that come back first.
        _ejected.Sort(static (a, b) => a.EjectedUntil != b.EjectedUntil ? b.EjectedUntil.CompareTo(a.EjectedUntil) : b.Slot.CompareTo(a.Slot));
        for (var i = before - 1; i >= 0; i--)
        {
            var endpoint = _ejected[i];
            if (endpoint.IsEjected && endpoint.BackendIndex >= 0)
            {
                var (all, ejected, ready) = Count(endpoint.BackendIndex, backends);
                if (ejected <= all * options.MaxEjectedRatio && (ready > 0 || endpoint.Health != EndpointHealth.Healthy)) continue;
            }
            Return(i, now);
        }
        return _ejected.Count != before;
    }

    private static bool IsReady(EndpointState endpoint) => endpoint.Health == EndpointHealth.Healthy && !endpoint.IsEjected;

    // Null: it says nothing about the endpoint's health.
    private static bool? Verdict(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Success => false,
        OutcomeKind.ConnectFailure or OutcomeKind.ServerError or OutcomeKind.Timeout or OutcomeKind.StreamBroken => true,
        _ => null,
    };

    private (int All, int Ejected, int Ready) Count(int backend, BackendTable backends)
    {
        var of = endpoints.Configured[backends.RangeOf(backend)];
        var (ejected, ready) = (0, 0);
        foreach (var endpoint in of)
        {
            if (endpoint.IsEjected) ejected++;
            else if (endpoint.Health == EndpointHealth.Healthy) ready++;
        }
        return (of.Length, ejected, ready);
    }

    private void Return(int index, TimeSpan now)
    {
        _ejected[index].Return(now);
        slowStart.Begin(_ejected[index], now);
        _ejected.RemoveAt(index);
    }
}
