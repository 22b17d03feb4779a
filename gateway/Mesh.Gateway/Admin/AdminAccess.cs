using System.Net;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Admin;

/// <summary>
/// Who may call the administrative API beside what keys say. Where no key is asked for it serves this machine alone, and no page of another site that a browser on this
/// machine has open.
/// </summary>
/// <param name="isGuarded">True with an administrative listener of its own, or where keys are asked for.</param>
internal sealed class AdminAccess(bool isGuarded)
{
    /// <summary>Why a request may not enter; null when it may.</summary>
    public string? WhyNot(HttpContext context, Caller? caller)
    {
        var request = context.Request;
        var isLocal = ExplainAccess.IsLoopback(context.Connection.RemoteIpAddress);
        if (!isGuarded && !isLocal) return "The administrative API serves clients on the gateway's machine, or on the listener of Mesh:AdminAddress.";
        // A name that somebody else's DNS leads to this machine would make a browser take this API for that site's own.
        if (caller is null && isLocal && !IsOwnName(request.Host.Host))
        {
            return $"The administrative API does not answer as {request.Host.Host} without keys; call it by address or as localhost.";
        }

        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return null;
        if (request.Headers["Sec-Fetch-Site"] is [{ } site] && site is "cross-site" or "same-site") return "Pages of other sites may not change anything here.";
        if (request.Headers.Origin is [{ Length: > 0 } origin, ..] && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == request.Host.Value))
        {
            return "Pages of other sites may not change anything here.";
        }

        return null;
    }

    private static bool IsOwnName(string host) => host == "localhost" || IPAddress.TryParse(host.Trim('[', ']'), out _);
}
