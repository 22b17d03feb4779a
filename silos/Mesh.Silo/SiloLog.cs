using Mesh.Gateway.Hosting;

namespace Mesh.Silo;

/// <summary>What the log shows: of Orleans only what somebody has to know.</summary>
internal static class SiloLog
{
    /// <summary>The filter of the console.</summary>
    /// <param name="orleans">Least level of what Orleans says.</param>
    public static Func<string?, string?, LogLevel, bool> Filter(LogLevel orleans) => (provider, category, level) =>
        category is not null && category.StartsWith("Orleans", StringComparison.Ordinal) ? level >= orleans : GatewayLog.Allows(provider, category, level);
}
