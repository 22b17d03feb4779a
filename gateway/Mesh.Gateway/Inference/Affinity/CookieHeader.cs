using System.Globalization;
using System.Text;
using Mesh.Core.Config;
using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Inference.Affinity;

/// <summary>Reads one cookie of a request and writes one of an answer, without a collection of them all.</summary>
internal static class CookieHeader
{
    private const int MaxValueChars = 512;

    /// <summary>Value of a cookie; empty when the client sent none, or one that is too long to be ours.</summary>
    /// <param name="header">The request's <c>Cookie</c> header.</param>
    /// <param name="name">Name; case counts.</param>
    public static ReadOnlySpan<char> Find(StringValues header, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < header.Count; i++)
        {
            var line = header[i].AsSpan();
            foreach (var range in line.Split(';'))
            {
                var pair = line[range].Trim();
                var equals = pair.IndexOf('=');
                if (equals < 0 || !pair[..equals].TrimEnd().SequenceEqual(name)) continue;
                var value = pair[(equals + 1)..].Trim().Trim('"');
                return value.Length <= MaxValueChars ? value : default;
            }
        }

        return default;
    }

    /// <summary>The header without one cookie; empty when nothing is left.</summary>
    public static StringValues Without(StringValues header, ReadOnlySpan<char> name)
    {
        var rest = new StringBuilder();
        for (var i = 0; i < header.Count; i++)
        {
            var line = header[i].AsSpan();
            foreach (var range in line.Split(';'))
            {
                var pair = line[range].Trim();
                var equals = pair.IndexOf('=');
                if (pair.IsEmpty || (equals >= 0 && pair[..equals].TrimEnd().SequenceEqual(name))) continue;
                if (rest.Length > 0) rest.Append("; ");
                rest.Append(pair);
            }
        }

        return rest.Length == 0 ? StringValues.Empty : rest.ToString();
    }

    /// <summary>The <c>Set-Cookie</c> of a session; without a life it is one of the browser session.</summary>
    public static string Set(string name, string value, SessionAffinityConfig config)
    {
        var life = config.CookieTtl > TimeSpan.Zero
            ? $"; Max-Age={((long)config.CookieTtl.TotalSeconds).ToString(CultureInfo.InvariantCulture)}"
            : "";
        return $"{name}={value}; Path={config.CookiePath}{life}; HttpOnly";
    }
}
