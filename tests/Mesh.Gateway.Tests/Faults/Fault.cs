using System.Net.Sockets;
using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>One way in which an endpoint misbehaves, and all that comes of it: a row of the gateway's README.</summary>
/// <param name="Name">What the endpoint does.</param>
/// <param name="Sees">What a client sees where no other endpoint is left.</param>
/// <param name="Ending">Label of <c>mesh_request_endings_total</c>.</param>
/// <param name="Outcome">How the lease is given back.</param>
/// <param name="Elsewhere">Reason under which another endpoint is tried where there is one; null where the request ends here.</param>
internal sealed record Fault(string Name, string Sees, string Ending, OutcomeKind Outcome, string? Elsewhere = null)
{
    /// <summary>Plays the endpoint's part of one exchange; null for an endpoint at which nothing listens.</summary>
    public Func<BackendExchange, Task>? Script { get; init; }

    /// <summary>Has the connection for itself.</summary>
    public Func<Socket, CancellationToken, Task>? Instead { get; init; }

    /// <summary>Time for the whole request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Options that the fault needs.</summary>
    public Action<GatewayOptions> Options { get; init; } = static _ => { };

    /// <summary>The fault shows on a connection's second request: the first is answered.</summary>
    public bool ShowsOnReuse { get; init; }

    /// <summary>As it stands in the README.</summary>
    public string Row => $"| {Name} | {Sees} | `{Ending}` | {Outcome} | {(Elsewhere is null ? "no" : $"`{Elsewhere}`")} |";

    public override string ToString() => Name;
}
