namespace Mesh.Gateway.Hosting;

/// <summary>
/// What the log shows. The server's own words on a start that failed are left out: the process says it itself, in one line. Its
/// per-request diagnostics are off, so that they cost nothing.
/// </summary>
internal sealed class StartupLogFilter
{
    private volatile bool _started;

    /// <summary>From now on the server's errors are shown.</summary>
    public void Open() => _started = true;

    public bool Allows(string? provider, string? category, LogLevel level)
    {
        if (category is null) return level >= LogLevel.Information;
        if (category.StartsWith("Microsoft.AspNetCore.Hosting", StringComparison.Ordinal)) return false;
        if (category.StartsWith("Microsoft.", StringComparison.Ordinal)) return _started && level >= LogLevel.Warning;
        return level >= LogLevel.Information;
    }
}
