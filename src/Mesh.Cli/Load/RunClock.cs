namespace Mesh.Cli.Load;

/// <summary>Time since the beginning of a run.</summary>
internal sealed class RunClock(TimeProvider time)
{
    private long _start = time.GetTimestamp();

    public TimeProvider Time => time;

    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Begins the run now.</summary>
    public void Restart() => _start = time.GetTimestamp();
}
