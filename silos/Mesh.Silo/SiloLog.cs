using Mesh.Gateway.Hosting;

namespace Mesh.Silo;

/// <summary>What the log shows: of Orleans only what somebody has to know.</summary>
internal static class SiloLog
{
    public static bool Allows(string? provider, string? category, LogLevel level) =>
        category is not null && category.StartsWith("Orleans", StringComparison.Ordinal) ? level >= LogLevel.Error : GatewayLog.Allows(provider, category, level);
}
