using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Upstream;

/// <summary>Which headers pass through the gateway, in either direction.</summary>
internal static class HeaderRules
{
    private static readonly FrozenSet<string> HopByHop = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade");

    // The client's keys are the gateway's business; length, host and expectation belong to the connection; the id is set anew.
    private static readonly FrozenSet<string> NotForwarded = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [.. HopByHop, "Authorization", "X-Api-Key", "Api-Key", "Content-Length", "Host", "Expect", "X-Request-Id"]);

    private static readonly FrozenSet<string> NotRelayed = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, [.. HopByHop, "X-Request-Id"]);

    /// <summary>True for a client's header that the model server gets.</summary>
    /// <param name="name">Header.</param>
    /// <param name="connection">The client's <c>Connection</c> header, which may name more hop-by-hop headers.</param>
    public static bool IsForwarded(string name, StringValues connection) =>
        !NotForwarded.Contains(name) && !IsControl(name) && !IsNamedBy(connection, name) && name is not [':', ..];

    /// <summary>True for a model server's header that the client gets.</summary>
    /// <param name="name">Header.</param>
    /// <param name="connection">The model server's <c>Connection</c> header.</param>
    public static bool IsRelayed(string name, StringValues connection) =>
        !NotRelayed.Contains(name) && !IsControl(name) && !IsNamedBy(connection, name);

    /// <summary>True for a header that only the client towards the model server may write: it says where a request ends.</summary>
    public static bool IsOfConnection(string name) =>
        name.Length switch
        {
            4 => name.Equals("Host", StringComparison.OrdinalIgnoreCase),
            12 => name.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase),
            14 => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase),
            10 => name.Equals("Connection", StringComparison.OrdinalIgnoreCase),
            17 => name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };

    /// <summary>True for a header that the filters of a route may change, in either direction.</summary>
    public static bool IsEditable(string name) =>
        !NotRelayed.Contains(name) && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && !name.Equals("Host", StringComparison.OrdinalIgnoreCase);

    /// <summary>True for headers by which clients steer the mesh and the mesh tells of itself.</summary>
    public static bool IsControl(string name) =>
        name is ['x' or 'X', '-', ..]
        && (name.StartsWith("x-gateway-", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("x-llm-d-", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("x-mesh-", StringComparison.OrdinalIgnoreCase));

    private static bool IsNamedBy(StringValues connection, string name)
    {
        for (var i = 0; i < connection.Count; i++)
        {
            var value = connection[i].AsSpan();
            if (value.Length < name.Length) continue;
            foreach (var part in value.Split(','))
            {
                if (value[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }
}
