namespace Mesh.Core.Config;

/// <summary>What ties the requests of one session to one endpoint.</summary>
public sealed record SessionAffinityConfig
{
    /// <summary>No affinity.</summary>
    public static SessionAffinityConfig None { get; } = new();

    /// <summary>Kind of affinity.</summary>
    public SessionAffinityType Type { get; init; }

    /// <summary>Cookie that carries the session, for the types with a cookie; null means the mesh's own name.</summary>
    public string? CookieName { get; init; }

    /// <summary>Path attribute of the cookie.</summary>
    public string CookiePath { get; init; } = "/";

    /// <summary>Life of the cookie, at most 14 days; zero makes it a cookie of the browser session.</summary>
    public TimeSpan CookieTtl { get; init; }

    /// <summary>Header whose value is the session, for <see cref="SessionAffinityType.HeaderField"/>.</summary>
    public string? HeaderName { get; init; }
}

/// <summary><c>sessionAffinity.type</c>.</summary>
public enum SessionAffinityType
{
    /// <summary>No affinity.</summary>
    None,

    /// <summary>The client's address.</summary>
    ClientIp,

    /// <summary>A cookie that the gateway makes; moves when the set of endpoints changes.</summary>
    GeneratedCookie,

    /// <summary>A cookie of a given name, made by the gateway where the client sends none.</summary>
    HttpCookie,

    /// <summary>The value of a request header.</summary>
    HeaderField,

    /// <summary>A cookie that names the endpoint itself and holds as long as that is there.</summary>
    StrongCookie,
}
