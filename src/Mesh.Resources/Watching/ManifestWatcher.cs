using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Watching;

/// <summary>
/// Watches a manifest directory and hands over each result that means something new. A change counts once two readings, a settling time
/// apart, are the same, so that half-written files are never taken. A broken edit is handed over with its errors while
/// <see cref="LastGood"/> stays. Events make it fast; a slow poll makes it certain, as config-map mounts and network file systems
/// lose events. Thread-safe; results come one after the other.
/// </summary>
public sealed class ManifestWatcher : IDisposable
{
    private readonly string _directory;
    private readonly Action<LoadResult> _changed;
    private readonly TimeProvider _time;
    private readonly ManifestWatcherOptions _options;
    private readonly Lock _gate = new();
    private readonly Lock _signalGate = new();
    private readonly DirectoryEvents? _events;
    private readonly ITimer _check;
    private readonly ITimer _poll;

    private string _fingerprint;
    private string? _unsettled;
    private string _meaning;
    private long? _signalledAt;
    private bool _disposed;

    private ManifestWatcher(string directory, Action<LoadResult> changed, TimeProvider time, ManifestWatcherOptions options)
    {
        _directory = directory;
        _changed = changed;
        _time = time;
        _options = options;

        // Events are on before the first reading: what changes in between is then seen again.
        _check = time.CreateTimer(_ => Check(isPoll: false), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (options.UseEvents)
        {
            _events = new DirectoryEvents(directory, Signal);
            _events.Renew();
        }

        lock (_gate)
        {
            (var snapshot, var reading, _fingerprint) = Read();
            Last = ManifestLoader.Load(snapshot, reading, version: 1, options.PeerRegions);
            _meaning = ManifestFingerprint.Meaning(Last);
            LastGood = Last.HasErrors ? null : Last;
        }

        _poll = time.CreateTimer(_ => Check(isPoll: true), null, options.Poll, options.Poll);
    }

    /// <summary>The latest result, with its errors if it has any.</summary>
    public LoadResult Last { get; private set; }

    /// <summary>The latest result without errors; null until there is one.</summary>
    public LoadResult? LastGood { get; private set; }

    /// <summary>
    /// Reads the directory once, which gives <see cref="Last"/>, and begins to watch it.
    /// </summary>
    /// <param name="directory">Directory with one folder for each cluster; it may be missing at first.</param>
    /// <param name="changed">Gets each later result that differs from the one before; called on a timer's thread; must not throw.
    /// A configuration's version rises by one with each that differs from the last good one.</param>
    /// <param name="time">Clock; null means the system's.</param>
    /// <param name="options">Intervals; null means the defaults.</param>
    public static ManifestWatcher Start(
        string directory, Action<LoadResult> changed, TimeProvider? time = null, ManifestWatcherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(changed);
        return new ManifestWatcher(directory, changed, time ?? TimeProvider.System, options ?? new ManifestWatcherOptions());
    }

    /// <summary>Looks for a change at once, in the overlay too.</summary>
    public void Refresh() => Signal();

    /// <summary>Ends the watch. Once it returns, no result is handed over any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            _events?.Dispose();
            _check.Dispose();
            _poll.Dispose();
        }
    }

    /// <summary>Puts the reading off until events have been quiet for a while, but not for ever.</summary>
    private void Signal()
    {
        lock (_signalGate)
        {
            _signalledAt ??= _time.GetTimestamp();
            if (_time.GetElapsedTime(_signalledAt.Value) < _options.MaxDelay) TryChange(_options.Debounce);
        }
    }

    private void Check(bool isPoll)
    {
        // A reading that is under way sees what this one would.
        if (isPoll && !_gate.TryEnter()) return;
        if (!isPoll) _gate.Enter();
        try
        {
            if (!_disposed) Check(wasSignalled: TakeSignal(), isPoll);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private bool TakeSignal()
    {
        lock (_signalGate)
        {
            var was = _signalledAt is not null;
            _signalledAt = null;
            return was;
        }
    }

    private void Check(bool wasSignalled, bool isPoll)
    {
        var (snapshot, reading, fingerprint) = Read();
        if (fingerprint == _fingerprint)
        {
            _unsettled = null;
            return;
        }

        if (fingerprint != _unsettled)
        {
            // Found by polling alone: whatever sends the events has gone deaf.
            if (isPoll && !wasSignalled && _unsettled is null) _events?.Renew();
            _unsettled = fingerprint;
            TryChange(_options.Settle);
            return;
        }

        _unsettled = null;
        _fingerprint = fingerprint;
        Accept(ManifestLoader.Load(snapshot, reading, (LastGood?.Config?.Version ?? 0) + 1, _options.PeerRegions));
    }

    private void Accept(LoadResult result)
    {
        var meaning = ManifestFingerprint.Meaning(result);
        if (meaning == _meaning) return;
        _meaning = meaning;
        if (!result.HasErrors)
        {
            // Back from a broken edit to what held before: nothing is new but that the errors are gone.
            if (LastGood is { } good && meaning == ManifestFingerprint.Meaning(good)) result = result with { Config = good.Config };
            LastGood = result;
        }

        Last = result;
        _changed(result);
    }

    /// <summary>Only the texts: they are parsed once they are new and settled, so that polling stays cheap.</summary>
    private (ManifestSnapshot Snapshot, DiagnosticBag Reading, string Fingerprint) Read()
    {
        var reading = new DiagnosticBag();
        var snapshot = ManifestDirectory.Read(_directory, reading);
        if (_options.Overlay is { } overlay) snapshot = ManifestText.Over(snapshot, overlay());
        return (snapshot, reading, ManifestFingerprint.Of(snapshot, reading));
    }

    private void TryChange(TimeSpan due)
    {
        try
        {
            _check.Change(due, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // An event that was on its way when the watch ended.
        }
    }
}
