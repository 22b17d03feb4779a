using System.Net.Sockets;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;

namespace Mesh.Engine.Probing;

/// <summary>TCP: a connection that opens, and takes the PROXY protocol line if the check sends one.</summary>
internal sealed class TcpProbe(TimeSpan connectTimeout, TimeProvider time) : IProbe
{
    public async Task<IoFailure> AskAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(connectTimeout, time, cancellationToken);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndpointUri.Socket(endpoint, check.Port), deadline.Token).ConfigureAwait(false);
        if (check.ProxyV1) await socket.SendAsync(ProxyProtocol.Line(socket), deadline.Token).ConfigureAwait(false);
        return default;
    }
}
