using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.Affinity;

/// <summary>The session that a request belongs to, by its pool's <c>sessionAffinity</c>.</summary>
internal static class SessionOf
{
    /// <summary>Name of the cookie where the manifests give none.</summary>
    public const string DefaultCookie = "mesh-session";

    private const int GeneratedBytes = 12;

    /// <summary>Reads the session, or begins one whose cookie goes out with the answer.</summary>
    public static RequestSession Read(HttpContext context, SessionAffinityConfig config)
    {
        var headers = context.Request.Headers;
        switch (config.Type)
        {
            case SessionAffinityType.ClientIp:
                return new RequestSession(HashOf(context.Connection.RemoteIpAddress));
            case SessionAffinityType.HeaderField:
                var value = config.HeaderName is not null && headers.TryGetValue(config.HeaderName, out var values) ? values.ToString() : "";
                return value.Length == 0 ? default : new RequestSession(StableHash.Of(value));
            case SessionAffinityType.GeneratedCookie or SessionAffinityType.HttpCookie:
                var sent = CookieHeader.Find(headers.Cookie, config.CookieName ?? DefaultCookie);
                if (!sent.IsEmpty) return new RequestSession(StableHash.Of(sent));
                var made = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(GeneratedBytes));
                return new RequestSession(StableHash.Of(made)) { NewCookie = made };
            case SessionAffinityType.StrongCookie:
                return new RequestSession(0) { Endpoint = EndpointFrom(CookieHeader.Find(headers.Cookie, config.CookieName ?? DefaultCookie)) };
            default:
                return default;
        }
    }

    /// <summary>Name of the cookie that is the gateway's own and no model server's business; null when sessions go by something else.</summary>
    public static string? CookieNameOf(SessionAffinityConfig config) =>
        config.Type is SessionAffinityType.GeneratedCookie or SessionAffinityType.HttpCookie or SessionAffinityType.StrongCookie
            ? config.CookieName ?? DefaultCookie : null;

    /// <summary>The <c>Set-Cookie</c> of an answer; null when the client has the right cookie already or there is none to have.</summary>
    public static string? CookieFor(in RequestSession session, SessionAffinityConfig config, EndpointId servedBy)
    {
        var value = session.NewCookie;
        if (config.Type == SessionAffinityType.StrongCookie && session.Endpoint != servedBy)
        {
            value = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(servedBy.Address));
        }

        return value is null ? null : CookieHeader.Set(config.CookieName ?? DefaultCookie, value, config);
    }

    private static ulong HashOf(IPAddress? address)
    {
        if (address is null) return 0;
        // The same client over a dual-mode socket is the same client.
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        return address.TryWriteBytes(bytes, out var written) ? StableHash.Of(bytes[..written]) : 0;
    }

    private static EndpointId EndpointFrom(ReadOnlySpan<char> cookie)
    {
        Span<byte> address = stackalloc byte[128];
        if (cookie.IsEmpty || !Base64Url.IsValid(cookie, out var length) || length is 0 || length > address.Length) return default;
        return Base64Url.TryDecodeFromChars(cookie, address, out var written) ? new EndpointId(Encoding.ASCII.GetString(address[..written])) : default;
    }
}

/// <summary>A request's session.</summary>
/// <param name="Key">Its hash; 0 without one.</param>
internal readonly record struct RequestSession(ulong Key)
{
    /// <summary>Endpoint that the session names by itself; default without one.</summary>
    public EndpointId Endpoint { get; init; }

    /// <summary>Value of the cookie that begins with this request; null when the client sent one.</summary>
    public string? NewCookie { get; init; }
}
