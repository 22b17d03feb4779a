using System.Security.Cryptography;
using System.Text;

namespace Mesh.Gateway.Hosting;

/// <summary>Where a gateway keeps its state when nobody names a directory.</summary>
internal static class StateHome
{
    // Enough to tell the gateways of one machine apart.
    private const int HashChars = 12;

    /// <summary>
    /// The directory that systemd gives the service (<c>STATE_DIRECTORY</c>), else one of this gateway's own under <c>XDG_STATE_HOME</c> or <c>~/.local/state</c>: gateways of other
    /// manifests, regions or addresses have others. Null without a home. Nothing is made before there is something to keep.
    /// </summary>
    public static string? For(GatewayOptions options, string manifests, Func<string, string?> environment)
    {
        if (environment("STATE_DIRECTORY") is { Length: > 0 } given) return given.Split(':')[0];
        var home = environment("XDG_STATE_HOME") is { Length: > 0 } state ? state
            : environment("HOME") is { Length: > 0 } own ? Path.Combine(own, ".local", "state") : null;
        if (home is null) return null;
        var listeners = string.Join(',', options.Listeners.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
        var identity = string.Join('\n', Path.GetFullPath(manifests), options.Region, options.BindAddress, options.AdminAddress, listeners);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..HashChars];
        return Path.Combine(home, "mesh", $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(manifests)))}-{hash}");
    }
}
