using System.Collections.Concurrent;

namespace Mesh.Silo.Tests;

/// <summary>
/// Watches the servers for requests that come, and so the gateways for requests that they place: the longest time without one, while requests are
/// sent all the time, is the longest pause, whoever caused it.
/// </summary>
internal sealed class PlacementWatch : IDisposable
{
    private readonly ConcurrentQueue<TimeSpan> _placed = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    /// <summary>Starts.</summary>
    public PlacementWatch(ProcessRegion region, OpenLoad load) => _watching = Task.Factory.StartNew(
        () => Watch(region, load), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Longest time between two placements of a stretch of the load, its ends included.</summary>
    public TimeSpan LongestPause(TimeSpan from, TimeSpan to)
    {
        var (last, longest) = (from, TimeSpan.Zero);
        foreach (var at in _placed.Where(p => p > from && p < to).Append(to))
        {
            if (at - last > longest) longest = at - last;
            last = at;
        }
        return longest;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _watching.Wait();
        _stop.Dispose();
    }

    private void Watch(ProcessRegion region, OpenLoad load)
    {
        var seen = 0L;
        while (!_stop.IsCancellationRequested)
        {
            var arrived = region.Servers.Sum(s => s.ArrivedRequests);
            if (arrived > seen) _placed.Enqueue(load.Now);
            seen = arrived;
            _stop.Token.WaitHandle.WaitOne(2);
        }
    }
}
