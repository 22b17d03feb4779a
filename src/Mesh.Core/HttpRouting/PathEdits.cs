using System.Globalization;
using System.Text;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>Changes of paths by rewrites and redirections.</summary>
public static class PathEdits
{
    /// <summary>The path after an edit, as it may stand on a request line: with a leading slash, and nothing in it but path characters.</summary>
    /// <param name="edit">The edit.</param>
    /// <param name="path">Path of the request.</param>
    /// <param name="matchedPrefix">Prefix by which the rule took the request; whole elements of it are replaced.</param>
    public static string Apply(PathEdit edit, string path, string matchedPrefix)
    {
        ArgumentNullException.ThrowIfNull(edit);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(matchedPrefix);
        if (edit.Type == PathEditType.ReplaceFullPath) return Encoded(edit.Value);
        var prefix = matchedPrefix.TrimEnd('/');
        var rest = path.StartsWith(prefix, StringComparison.Ordinal) ? path.AsSpan(prefix.Length).TrimStart('/') : path.AsSpan().TrimStart('/');
        // A prefix that is the whole path leaves no slash behind but the one that the replacement ends in.
        return Encoded(rest.IsEmpty ? edit.Value : string.Concat(edit.Value.AsSpan().TrimEnd('/'), "/", rest));
    }

    private static string Encoded(string path)
    {
        if (path is not ['/', ..]) path = "/" + path;
        if (!NeedsEncoding(path)) return path;
        var text = new StringBuilder(path.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(path))
        {
            if (b is > (byte)' ' and < 0x7f and not ((byte)'?' or (byte)'#')) text.Append((char)b);
            else text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private static bool NeedsEncoding(string path) => path.AsSpan().ContainsAnyExceptInRange('!', '~') || path.AsSpan().ContainsAny('?', '#');
}
