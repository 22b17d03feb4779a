using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>The book of a world's requests: which came, how they ended, and which were forwarded.</summary>
internal sealed class RegionLedger(VirtualClock clock, RegionJudge judge)
{
    private readonly List<RegionRequest> _requests = [];

    /// <summary>All requests, in the order in which they came.</summary>
    public IReadOnlyList<RegionRequest> Requests => _requests;

    /// <summary>Requests that have not come to an end.</summary>
    public long Unended { get; private set; }

    /// <summary>Answers of peers that refused.</summary>
    public long PeerRefusals { get; private set; }

    /// <summary>The same, by home and peer.</summary>
    public Dictionary<(int Home, int To), long> Refusals { get; } = [];

    /// <summary>Requests forwarded, by home and peer.</summary>
    public Dictionary<(int Home, int To), long> Forwards { get; } = [];

    /// <summary>A request comes.</summary>
    public RegionRequest Open(in TraceRequest row, int home, int priority)
    {
        var request = new RegionRequest
        {
            Number = _requests.Count,
            Home = home,
            ArrivedMs = clock.NowMs,
            Priority = priority,
            Row = row with { Blocks = row.Blocks.ToArray() },
        };
        _requests.Add(request);
        Unended++;
        return request;
    }

    /// <summary>A request ends.</summary>
    public void End(RegionRequest request, RegionEnd end)
    {
        judge.OnEnd(clock.NowMs, request, end);
        if (request.End == RegionEnd.None) Unended--;
        (request.End, request.EndedMs) = (end, clock.NowMs);
    }

    public void CountRefusal(int home, int to)
    {
        PeerRefusals++;
        Refusals[(home, to)] = Refusals.GetValueOrDefault((home, to)) + 1;
    }

    public void CountForward(int home, int to) => Forwards[(home, to)] = Forwards.GetValueOrDefault((home, to)) + 1;
}
