using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>A trace's rows as they come to the fleet, one event ahead. Not thread-safe.</summary>
internal sealed class FleetArrivals(FleetTopology fleet, EventQueue events, IEnumerable<TraceRequest> trace)
{
    private readonly IEnumerator<TraceRequest> _trace = trace.GetEnumerator();
    private readonly double[] _shares = SharesOf(fleet);
    private long _arrived;

    /// <summary>No more will come.</summary>
    public bool HaveEnded { get; private set; }

    /// <summary>Makes an event of the next row.</summary>
    public void ScheduleNext()
    {
        if (_trace.MoveNext()) events.Add(_trace.Current.ArrivalMs, EventKind.Arrival, 0, 0);
        else HaveEnded = true;
    }

    /// <summary>The row that comes now begins.</summary>
    public void Begin(WorldRequest request, double nowMs, int blockSize)
    {
        var row = _trace.Current;
        var clients = ClientsOf(row.Session);
        request.Begin(_arrived++, clients.Region, nowMs, in row, blockSize);
        request.Priority = clients.Priority;
    }

    private static double[] SharesOf(FleetTopology fleet)
    {
        var shares = new double[fleet.Clients.Count];
        var sum = 0.0;
        for (var i = 0; i < shares.Length; i++) shares[i] = sum += fleet.Clients[i].Share;
        return shares;
    }

    // A session stays where it began; the upper 53 bits of its mixed hash are a number from 0 to 1.
    private ClientGroup ClientsOf(ulong session)
    {
        if (_shares.Length == 1) return fleet.Clients[0];
        var at = (BlockHash.Mix(session) >> 11) * (1.0 / (1UL << 53)) * _shares[^1];
        var found = Array.BinarySearch(_shares, at);
        // A share ends before the number at which the next one begins.
        return fleet.Clients[Math.Min(found < 0 ? ~found : found + 1, _shares.Length - 1)];
    }
}
