using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Mesh.Simulation.Server;

/// <summary>Open connections of one server, so that they can be reset as the death of the process would reset them. Thread-safe.</summary>
internal sealed class ConnectionTable
{
    private readonly Lock _gate = new();
    private readonly HashSet<ConnectionContext> _open = [];
    private bool _killed;

    /// <summary>Holds a connection in the table while it is served.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        lock (_gate)
        {
            if (_killed) Reset(connection);
            else _open.Add(connection);
        }

        try
        {
            await next(connection);
        }
        finally
        {
            lock (_gate) _open.Remove(connection);
        }
    }

    /// <summary>Resets every connection, and every one that comes later.</summary>
    public void ResetAll()
    {
        ConnectionContext[] open;
        lock (_gate)
        {
            _killed = true;
            open = [.. _open];
        }

        foreach (var connection in open) Reset(connection);
    }

    private static void Reset(ConnectionContext connection)
    {
        try
        {
            // Closing without lingering sends RST instead of FIN: the peer sees a broken connection, not the end of a body.
            if (connection.Features.Get<IConnectionSocketFeature>() is { } feature) feature.Socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection went away by itself, which is what we wanted.
        }

        connection.Abort(new ConnectionAbortedException("The server was killed."));
    }
}
