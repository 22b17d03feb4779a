namespace Mesh.Core.Regions;

/// <summary>Durations of the exchange between regions.</summary>
public sealed record RegionOptions
{
    /// <summary>Time between two reports to a peer, 10 ms to 10 s; 100 ms by default. Peers must agree on it.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Intervals of silence after which a peer gets no new requests, 1–100; 3 by default.</summary>
    public int SuspectAfterIntervals { get; init; } = 3;

    /// <summary>Intervals of silence after which a peer counts as unreachable, more than <see cref="SuspectAfterIntervals"/>, at most 1,000; 10 by default.</summary>
    public int UnreachableAfterIntervals { get; init; } = 10;

    /// <summary>Reports in a row without a gap that bring an unreachable peer back, 1–100; 3 by default. One that was suspected needs a single one.</summary>
    public int ReportsToReturn { get; init; } = 3;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Validate()
    {
        if (ReportInterval < TimeSpan.FromMilliseconds(10) || ReportInterval > TimeSpan.FromSeconds(10))
            throw new ArgumentOutOfRangeException(nameof(ReportInterval), ReportInterval, "Between 10 ms and 10 s.");
        Check(SuspectAfterIntervals, 1, 100, nameof(SuspectAfterIntervals));
        Check(UnreachableAfterIntervals, SuspectAfterIntervals + 1, 1000, nameof(UnreachableAfterIntervals));
        Check(ReportsToReturn, 1, 100, nameof(ReportsToReturn));
    }

    private static void Check(int value, int least, int most, string name)
    {
        if (value < least || value > most) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
