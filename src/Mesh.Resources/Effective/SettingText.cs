using System.Globalization;
using System.Text;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Effective;

/// <summary>
/// Settings with several parts in one line each. Every part that changes what runs is shown, because
/// differences are found by comparing these texts.
/// </summary>
internal static class SettingText
{
    public static string Of(HealthCheckConfig h)
    {
        var text = new StringBuilder(h.Type.ToString().ToUpperInvariant());
        if (h.Type is not (HealthCheckType.Tcp or HealthCheckType.Grpc)) text.Append(' ').Append(h.RequestPath);
        text.Append(" on ").Append(h.Port is { } number ? string.Create(CultureInfo.InvariantCulture, $"port {number}") : "serving port");
        text.Append(CultureInfo.InvariantCulture, $" every {Seconds(h.Interval)}, time-out {Seconds(h.Timeout)}");
        text.Append(CultureInfo.InvariantCulture, $", healthy after {h.HealthyThreshold}, unhealthy after {h.UnhealthyThreshold}");
        if (h.Host is not null) text.Append(", host ").Append(h.Host);
        if (h.TcpRequest is not null) text.Append(", sends \"").Append(h.TcpRequest).Append('"');
        if (h.ExpectedResponse is not null) text.Append(", expects \"").Append(h.ExpectedResponse).Append('"');
        if (h.GrpcServiceName is not null) text.Append(", service ").Append(h.GrpcServiceName);
        if (h.ProxyV1) text.Append(", PROXY_V1");
        if (h.LogProbes) text.Append(", logged");
        return text.ToString();
    }

    public static string Of(SessionAffinityConfig s)
    {
        var word = SessionAffinity.Word(s.Type);
        if (s.Type == SessionAffinityType.HeaderField) return $"{word} {s.HeaderName}";
        if (s.Type is not (SessionAffinityType.GeneratedCookie or SessionAffinityType.HttpCookie or SessionAffinityType.StrongCookie))
            return word;
        var life = s.CookieTtl > TimeSpan.Zero ? Seconds(s.CookieTtl) : "browser session";
        return $"{word} {(s.CookieName is null ? "" : s.CookieName + " ")}on {s.CookiePath} for {life}";
    }

    public static string Of(ServiceLbAlgorithm algorithm) => algorithm switch
    {
        ServiceLbAlgorithm.WaterfallByZone => "WATERFALL_BY_ZONE",
        ServiceLbAlgorithm.SprayToRegion => "SPRAY_TO_REGION",
        _ => "WATERFALL_BY_REGION",
    };

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds} s");

    public static string Percent(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio * 100:0.######}%");
}
