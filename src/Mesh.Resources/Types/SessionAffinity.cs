using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary><c>sessionAffinity</c> of a backend policy or a traffic distribution policy.</summary>
internal sealed record SessionAffinity(SessionAffinityConfig Config, Spot At)
{
    private const int MaxTtlSec = 1_209_600;

    private static readonly (string Text, SessionAffinityType Type)[] _types =
    [
        ("NONE", SessionAffinityType.None), ("CLIENT_IP", SessionAffinityType.ClientIp), ("GENERATED_COOKIE", SessionAffinityType.GeneratedCookie),
        ("HTTP_COOKIE", SessionAffinityType.HttpCookie), ("HEADER_FIELD", SessionAffinityType.HeaderField),
        ("STRONG_COOKIE_AFFINITY", SessionAffinityType.StrongCookie),
    ];

    /// <summary>The word of the manifests for a type.</summary>
    public static string Word(SessionAffinityType type) => _types.First(t => t.Type == type).Text;

    public static SessionAffinity Read(ObjectReader r)
    {
        var type = r.Choice("type", _types)?.Value ?? SessionAffinityType.None;
        var config = new SessionAffinityConfig { Type = type };
        var ttl = r.Int("cookieTtlSec", 0, MaxTtlSec);
        if (ttl is not null) config = config with { CookieTtl = TimeSpan.FromSeconds(ttl.Value) };
        config = r.Object("cookie", c => Cookie(c, config, hasTtl: ttl is not null)) ?? config;
        if (r.String("httpHeaderName") is { } header)
        {
            config = config with { HeaderName = header.Value };
            if (!KubernetesNames.IsHeaderName(header.Value))
                r.Report.Error(header.At, DiagnosticCodes.WrongFormat, $"{header.Value} is no name of a header");
        }

        Check(r, type);
        return new SessionAffinity(config, r.At);
    }

    private static SessionAffinityConfig Cookie(ObjectReader c, SessionAffinityConfig config, bool hasTtl)
    {
        var name = c.String("name");
        if (name is not null && !KubernetesNames.IsHeaderName(name.Value))
            c.Report.Error(name.At, DiagnosticCodes.WrongFormat, $"{name.Value} is no name of a cookie");
        var ttl = c.Duration("ttl");
        if (ttl is not null && ttl.Value.TotalSeconds > MaxTtlSec)
            c.Report.Error(ttl.At, DiagnosticCodes.OutOfRange, $"{ttl.At.Path} is longer than two weeks");
        if (ttl is not null && hasTtl && ttl.Value != config.CookieTtl)
            c.Report.Error(
                ttl.At, DiagnosticCodes.AliasConflict, "cookie.ttl and cookieTtlSec differ: they are the same field", "keep one of them");
        return config with { CookieName = name?.Value, CookiePath = c.String("path")?.Value ?? "/", CookieTtl = ttl?.Value ?? config.CookieTtl };
    }

    private static void Check(ObjectReader r, SessionAffinityType type)
    {
        var hasCookie = type is SessionAffinityType.GeneratedCookie or SessionAffinityType.HttpCookie or SessionAffinityType.StrongCookie;
        foreach (var field in (ReadOnlySpan<string>)["cookieTtlSec", "cookie"])
        {
            if (!hasCookie && r.Has(field))
                r.Report.Warning(
                    r.SpotOf(field), DiagnosticCodes.AffinityFieldUnused,
                    $"{field} has no effect: sessionAffinity.type {Word(type)} uses no cookie");
        }

        var hasHeader = type == SessionAffinityType.HeaderField;
        if (hasHeader && !r.Has("httpHeaderName"))
            r.Report.Error(
                r.SpotOf("type"), DiagnosticCodes.RequiredField, $"{r.At.Path}.httpHeaderName is required with type HEADER_FIELD",
                "name the header that identifies the session");
        else if (!hasHeader && r.Has("httpHeaderName"))
            r.Report.Warning(
                r.SpotOf("httpHeaderName"), DiagnosticCodes.AffinityFieldUnused,
                "httpHeaderName has an effect with type HEADER_FIELD only");
    }
}
