using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Peers;

/// <summary>
/// How long a peer's endpoints would let a prompt wait: its report's groups, each raised by what was sent there since, the least loaded first. It is what keeps
/// requests that overflow between two reports from all counting on the same idle endpoint.
/// </summary>
internal sealed class WaitLadder
{
    public const int MostSteps = 8;
    private readonly double[] _waitMs = new double[MostSteps];
    private int _steps;
    private double _endpointsInStep = 1;

    /// <summary>Wait of the least loaded group, in milliseconds; infinite when there is none.</summary>
    public double LeastMs => _steps == 0 ? double.PositiveInfinity : _waitMs[Lowest()];

    /// <summary>Begins with what a report says.</summary>
    public void Reset(PoolReport report, int readyEndpoints)
    {
        _steps = Math.Min(MostSteps, report.WaitLadderMs.IsDefault ? 0 : report.WaitLadderMs.Length);
        for (var i = 0; i < _steps; i++) _waitMs[i] = Math.Max(0, report.WaitLadderMs[i]);
        _endpointsInStep = _steps == 0 ? 1 : Math.Max(1, (double)readyEndpoints / _steps);
    }

    /// <summary>Counts a prompt that was sent.</summary>
    public void Add(double workMs)
    {
        if (_steps > 0) _waitMs[Lowest()] += workMs / _endpointsInStep;
    }

    private int Lowest()
    {
        var lowest = 0;
        for (var i = 1; i < _steps; i++)
        {
            if (_waitMs[i] < _waitMs[lowest]) lowest = i;
        }

        return lowest;
    }
}
