namespace Mesh.Core.Health;

/// <summary>
/// When an endpoint that fails requests is left alone, and for how long. Failures are refused or reset connections, 5xx, time-outs and answers that
/// break off; a 4xx is an answer, a client that leaves says nothing, and a full queue is load. The n-th ejection in a row lasts
/// <c>min(MaxDuration, BaseDuration · 2^(n − 1))</c>; each <c>ForgiveAfter</c> that passes between a return and the next ejection takes one off n.
/// </summary>
public sealed record EjectionOptions
{
    /// <summary>Failures in a row that eject, 0–1,000; 5 by default. 0 turns this rule off.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>Share of failures over <see cref="Window"/> that ejects, above 0 to 1; 0.5 by default.</summary>
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>Requests that must have ended in the window before their share says anything, 0–1,000,000; 20 by default. 0 turns this rule off.</summary>
    public int MinRequests { get; init; } = 20;

    /// <summary>Window of the share, 100 ms to 10 min; 10 s by default. It moves on by halves.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Length of a first ejection, 10 ms to 10 min; 5 s by default.</summary>
    public TimeSpan BaseDuration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Length of the longest ejection, from <see cref="BaseDuration"/> to 1 h; 5 min by default.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time without an ejection that takes back one doubling, 100 ms to 1 h; 1 min by default.</summary>
    public TimeSpan ForgiveAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Share of a backend's endpoints that may be ejected at a time, 0–1; 0.5 by default. The last ready one never is.</summary>
    public double MaxEjectedRatio { get; init; } = 0.5;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Validate()
    {
        Check(ConsecutiveFailures, 0, 1000, nameof(ConsecutiveFailures));
        Check(FailureRatio, double.Epsilon, 1, nameof(FailureRatio));
        Check(MinRequests, 0, 1_000_000, nameof(MinRequests));
        Check(Window.TotalSeconds, 0.1, 600, nameof(Window));
        Check(BaseDuration.TotalSeconds, 0.01, 600, nameof(BaseDuration));
        Check(MaxDuration.TotalSeconds, BaseDuration.TotalSeconds, 3600, nameof(MaxDuration));
        Check(ForgiveAfter.TotalSeconds, 0.1, 3600, nameof(ForgiveAfter));
        Check(MaxEjectedRatio, 0, 1, nameof(MaxEjectedRatio));
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}; durations in seconds.");
    }
}
