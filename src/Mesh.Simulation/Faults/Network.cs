using Mesh.Core.Randomness;

namespace Mesh.Simulation.Faults;

/// <summary>
/// How long messages take between regions: half the round trip, up to a fifth more or less, 200 ms more where a packet is lost and sent
/// again; what is sent over a cut arrives when the cut has healed. Whoever needs order keeps it (<see cref="Link"/>).
/// </summary>
internal sealed class Network
{
    private const double ResendMs = 200;
    private readonly Timeline _time;
    private readonly Xoshiro256 _random;
    private readonly double _lossShare;
    private readonly double[] _oneWayMs;
    private readonly double[] _cutUntilMs;
    private readonly int _regions;

    public Network(Timeline time, Xoshiro256 random, int regions, double lossShare)
    {
        _time = time;
        _random = random;
        _lossShare = lossShare;
        _regions = regions;
        _cutUntilMs = new double[regions];
        _oneWayMs = new double[regions * regions];
        for (var a = 0; a < regions; a++)
        {
            for (var b = 0; b <= a; b++) _oneWayMs[(a * regions) + b] = _oneWayMs[(b * regions) + a] = a == b ? 0.3 : 5 + random.NextInt32(60);
        }
    }

    /// <summary>Round trip between two regions, in ms, as it is configured.</summary>
    public double RoundTripMs(int a, int b) => 2 * _oneWayMs[(a * _regions) + b];

    /// <summary>Cuts a region off from the others.</summary>
    public void Cut(int region, double untilMs) => _cutUntilMs[region] = Math.Max(_cutUntilMs[region], untilMs);

    /// <summary>When something that is sent now arrives.</summary>
    public double ArrivalMs(int from, int to)
    {
        var sentMs = from == to ? _time.NowMs : Math.Max(_time.NowMs, Math.Max(_cutUntilMs[from], _cutUntilMs[to]));
        var delayMs = _oneWayMs[(from * _regions) + to] * (0.8 + (0.4 * _random.NextDouble()));
        if (_lossShare > 0 && _random.NextDouble() < _lossShare) delayMs += ResendMs;
        return sentMs + delayMs;
    }
}

/// <summary>One direction of a connection: what is sent first arrives first.</summary>
internal sealed class Link(Timeline time, Network network, int from, int to)
{
    private double _lastArrivalMs;

    /// <summary>Until when nothing passes, in ms.</summary>
    public double CutUntilMs { get; set; }

    /// <summary>Sends something that happens on arrival.</summary>
    public void Send(Action arrive)
    {
        _lastArrivalMs = Math.Max(_lastArrivalMs, Math.Max(CutUntilMs, network.ArrivalMs(from, to)));
        time.At(_lastArrivalMs, arrive);
    }
}
