using System.Net;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Transport;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// The connections to one endpoint: those in use, and the idle ones, of which the last one used is taken first, so that the others grow old
/// and are closed. Thread-safe; a request costs two short locks.
/// </summary>
internal sealed class EndpointPool
{
    private const int MaxLooked = 8;

    private readonly Lock _gate = new();
    private readonly UpstreamLimits _limits;
    private readonly ConnectionCounters _counters;
    private UpstreamConnection? _idle;
    private UpstreamConnection? _busy;
    private int _idleCount;
    private int _busyCount;
    private int _unusedSeconds;
    private bool _isRetired;

    /// <param name="address"><c>host:port</c>.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="counters">Counts.</param>
    public EndpointPool(string address, UpstreamLimits limits, ConnectionCounters? counters = null)
    {
        _counters = counters ?? new ConnectionCounters(new GatewayMetrics());
        _limits = limits;
        HostHeader = address;
        EndPoint = Parse(address);
    }

    /// <summary>Where its connections go; null when the address is none.</summary>
    public EndPoint? EndPoint { get; }

    /// <summary>What is sent as <c>Host</c> unless the request has one.</summary>
    public string HostHeader { get; }

    /// <summary>Names and values of headers that this endpoint has sent before.</summary>
    public HeaderMemory Headers { get; } = new();

    /// <summary>Connections that are kept, for tests.</summary>
    public int IdleCount => Volatile.Read(ref _idleCount);

    /// <summary>Connections with a request, for tests.</summary>
    public int BusyCount => Volatile.Read(ref _busyCount);

    /// <summary>Takes an idle connection; null when there is none.</summary>
    public UpstreamConnection? TryTake()
    {
        lock (_gate)
        {
            while (Nearest() is { } connection)
            {
                RemoveIdle(connection);
                if (connection.HasEndedIdle)
                {
                    connection.Close();
                    _counters.IdleEnded.Increment();
                    continue;
                }

                AddBusy(connection);
                _counters.Reused.Increment();
                return connection;
            }
        }

        return null;
    }

    /// <summary>A new connection that is in use from the start. False when the pool takes none any more.</summary>
    public bool TryAdd(UpstreamConnection connection)
    {
        lock (_gate)
        {
            if (_isRetired) return false;
            AddBusy(connection);
            _counters.Opened.Increment();
            return true;
        }
    }

    /// <summary>An exchange is over and its connection can be used again.</summary>
    public void Return(UpstreamConnection connection)
    {
        var isOpen = connection.Watch();
        var isKept = false;
        lock (_gate)
        {
            RemoveBusy(connection);
            connection.Rest();
            if (isOpen && !connection.HasEndedIdle && !_isRetired && _idleCount < _limits.MaxIdlePerEndpoint)
            {
                AddIdle(connection);
                isKept = true;
            }
        }

        if (isKept) return;
        (_isRetired ? _counters.Shutdown : isOpen && !connection.HasEndedIdle ? _counters.IdleLimit : _counters.IdleEnded).Increment();
        connection.Close();
    }

    /// <summary>An exchange is over and its connection cannot be used again.</summary>
    public void Discard(UpstreamConnection connection)
    {
        connection.WhyNotKept(_counters).Increment();
        lock (_gate) RemoveBusy(connection);
        connection.Close();
    }

    /// <summary>A receive ended while nobody waited for it: an idle connection is of no use any more.</summary>
    public void EndedIdle(UpstreamConnection connection)
    {
        lock (_gate)
        {
            if (!connection.IsIdle) return;
            RemoveIdle(connection);
        }

        _counters.IdleEnded.Increment();
        connection.Close();
    }

    /// <summary>One more second has passed. True when the pool has not been used for a minute and takes no more connections.</summary>
    public bool Tick()
    {
        UpstreamConnection? old = null;
        lock (_gate)
        {
            for (var (connection, next) = (_busy, _busy?.Next); connection is not null; (connection, next) = (next, next?.Next)) connection.Tick(isIdle: false);
            for (var connection = _idle; connection is not null;)
            {
                var next = connection.Next;
                if (connection.Tick(isIdle: true))
                {
                    RemoveIdle(connection);
                    connection.Next = old;
                    old = connection;
                }

                connection = next;
            }

            _unusedSeconds = _idleCount + _busyCount > 0 ? 0 : _unusedSeconds + 1;
            _isRetired = _unusedSeconds >= 60;
        }

        CloseAll(old, _counters.IdleAge);
        return _isRetired;
    }

    /// <summary>Closes what is idle, aborts what is not, takes no more.</summary>
    public void Close()
    {
        UpstreamConnection? idle;
        lock (_gate)
        {
            _isRetired = true;
            idle = _idle;
            for (var connection = idle; connection is not null; connection = connection.Next) connection.IsIdle = false;
            _idle = null;
            _idleCount = 0;
            for (var (connection, next) = (_busy, _busy?.Next); connection is not null; (connection, next) = (next, next?.Next)) connection.Abort(UpstreamFailure.Cancelled);
        }

        CloseAll(idle, _counters.Shutdown);
    }

    private static void CloseAll(UpstreamConnection? first, Counter reason)
    {
        while (first is not null)
        {
            var next = first.Next;
            first.Next = null;
            first.Close();
            reason.Increment();
            first = next;
        }
    }

    private static EndPoint? Parse(string address)
    {
        if (IPEndPoint.TryParse(address, out var ip) && ip.Port > 0) return ip;
        var colon = address.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), out var port) && port > 0 ? new DnsEndPoint(address[..colon], port) : null;
    }

    /// <summary>Of the idle connections used last, one on this thread's loop: the answer then comes on the thread that has the request in its caches.</summary>
    private UpstreamConnection? Nearest()
    {
        if (SocketLoop.Current is not { } loop) return _idle;
        var connection = _idle;
        for (var i = 0; i < MaxLooked && connection is not null; i++, connection = connection.Next)
        {
            if (connection.Loop == loop) return connection;
        }

        return _idle;
    }

    private void AddIdle(UpstreamConnection connection)
    {
        connection.IsIdle = true;
        Link(ref _idle, connection);
        _idleCount++;
    }

    private void RemoveIdle(UpstreamConnection connection)
    {
        connection.IsIdle = false;
        Unlink(ref _idle, connection);
        _idleCount--;
    }

    private void AddBusy(UpstreamConnection connection)
    {
        Link(ref _busy, connection);
        _busyCount++;
    }

    private void RemoveBusy(UpstreamConnection connection)
    {
        Unlink(ref _busy, connection);
        _busyCount--;
    }

    private static void Link(ref UpstreamConnection? first, UpstreamConnection connection)
    {
        connection.Previous = null;
        connection.Next = first;
        if (first is not null) first.Previous = connection;
        first = connection;
    }

    private static void Unlink(ref UpstreamConnection? first, UpstreamConnection connection)
    {
        if (connection.Previous is { } previous) previous.Next = connection.Next;
        else first = connection.Next;
        if (connection.Next is { } next) next.Previous = connection.Previous;
        connection.Next = connection.Previous = null;
    }
}
