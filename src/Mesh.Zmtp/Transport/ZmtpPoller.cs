using System.Net.Sockets;

namespace Mesh.Zmtp.Transport;

/// <summary>
/// One thread that looks at many connections in turn, every few milliseconds while something comes, and reads all that has come since:
/// the cost of waking up is shared by everything that arrived in between. When nothing comes it sleeps until something does. What waits
/// for a connection's bytes goes on upon this thread and must not block it. Thread-safe.
/// </summary>
/// <remarks>
/// Bytes are read at most one interval late: <see cref="Interval"/>, and with more than 250 connections so much more that
/// looking takes no more than some percent of a core.
/// </remarks>
internal sealed class ZmtpPoller
{
    /// <summary>Time between two looks.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan IntervalPerConnection = TimeSpan.FromMicroseconds(20);

    // A sleeping thread does not see connections that begin to be waited for; they may wait so long.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan EndsAfter = TimeSpan.FromSeconds(5);

    // Below this many looks in vain, sleeping until something comes costs more than looking again.
    private const int LooksInVain = 2;

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly List<PolledTransport> _coming = [];
    private readonly List<PolledTransport> _connections = [];
    private readonly List<Socket> _readable = [];
    private readonly List<Socket> _writable = [];
    private bool _isRunning;

    /// <summary>The process's poller. Its thread runs while there are connections.</summary>
    public static ZmtpPoller Shared { get; } = new();

    /// <summary>Looks at a connection from now on until it is disposed of.</summary>
    public void Add(PolledTransport connection)
    {
        lock (_gate)
        {
            _coming.Add(connection);
            if (!_isRunning)
            {
                _isRunning = true;
                new Thread(Run) { Name = "zmtp poller", IsBackground = true }.Start();
            }
        }
        _wake.Set();
    }

    /// <summary>Looks again soon, as a connection has been disposed of.</summary>
    public void Wake() => _wake.Set();

    private void Run()
    {
        var inVain = 0;
        while (TryTakeIn())
        {
            inVain = Look(out var hasMore) ? 0 : inVain + 1;
            if (hasMore) continue;
            if (_connections.Count == 0) _wake.WaitOne(EndsAfter);
            else if (inVain < LooksInVain || !TrySleep()) _wake.WaitOne(Pause());
        }
    }

    // False: there is nothing to look at and the thread ends.
    private bool TryTakeIn()
    {
        lock (_gate)
        {
            _connections.AddRange(_coming);
            var wereComing = _coming.Count > 0;
            _coming.Clear();
            _isRunning = wereComing || _connections.Count > 0;
            return _isRunning;
        }
    }

    private bool Look(out bool hasMore)
    {
        var came = false;
        hasMore = false;
        var kept = 0;
        for (var i = 0; i < _connections.Count; i++)
        {
            var connection = _connections[i];
            var isLast = connection.IsDisposed;
            came |= connection.Look(ref hasMore);
            if (!isLast) _connections[kept++] = connection;
        }
        _connections.RemoveRange(kept, _connections.Count - kept);
        return came;
    }

    private TimeSpan Pause()
    {
        var pause = IntervalPerConnection * _connections.Count;
        return pause > Interval ? pause : Interval;
    }

    // False: not everything can be slept upon, so that the thread has to look again after a while.
    private bool TrySleep()
    {
        _readable.Clear();
        _writable.Clear();
        foreach (var connection in _connections)
        {
            if (connection.Socket is not { } socket) continue;
            if (connection.IsReceiving) _readable.Add(socket);
            if (connection.IsWriting) _writable.Add(socket);
        }
        if (_readable.Count + _writable.Count == 0) return false;
        try
        {
            Socket.Select(_readable, _writable, null, LongestSleep);
            return true;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return false;
        }
    }
}
