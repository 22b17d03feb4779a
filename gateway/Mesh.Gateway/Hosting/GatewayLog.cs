namespace Mesh.Gateway.Hosting;

/// <summary>What the log shows.</summary>
internal static class GatewayLog
{
    /// <summary>Filter of the console.</summary>
    public static bool Allows(string? provider, string? category, LogLevel level)
    {
        if (category is null || !category.StartsWith("Microsoft.", StringComparison.Ordinal)) return level >= LogLevel.Information;
        // A start that fails is told in one line by the process; per-request diagnostics are off, so that they cost nothing.
        if (category.StartsWith("Microsoft.AspNetCore.Hosting", StringComparison.Ordinal)) return false;
        if (category.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal)) return false;
        return level >= LogLevel.Warning;
    }
}
