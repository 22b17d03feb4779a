using System.Buffers.Text;
using System.Collections.Immutable;
using System.IO.Pipelines;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation.Frames;
using Mesh.Engine.Federation.Links;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Federation;

/// <summary>
/// One region among its peers: follows every peer's reports, publishes the own ones to those that ask, and tells the engine what comes.
/// The listener that peers connect to is the caller's. Thread-safe.
/// </summary>
public sealed class FederationHub : IFederation
{
    /// <summary>Version of the reports' form that this program speaks.</summary>
    public const int Protocol = ReportFrame.Protocol;

    private readonly FederationSettings _settings;
    private readonly IRegionEngine _engine;
    private readonly Func<PeerAddress, HttpMessageInvoker> _connect;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RegionOptions _options;
    private readonly ReportClock _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _running = [];
    private volatile PeerSet _set = PeerSet.Empty;
    private bool _isStarted;
    // Whoever waits for it goes on within the clock's call: publishing waits for nothing but its next report.
    private volatile TaskCompletionSource _tick = new();
    private volatile ConfigTag _config = ConfigTag.None;

    /// <summary>Makes a hub; <see cref="Start"/> begins.</summary>
    /// <param name="settings">Who is who.</param>
    /// <param name="engine">Whose pools are reported.</param>
    /// <param name="connect">Gives a client for one connection to a peer; it is disposed when the connection ends.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <exception cref="ArgumentException">A setting is out of its range, or two peers share a name or region.</exception>
    public FederationHub(FederationSettings settings, IRegionEngine engine, Func<PeerAddress, HttpMessageInvoker> connect, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(connect);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        settings.Validate();
        (_settings, _engine, _connect, _time) = (settings, engine, connect, time);
        _log = loggers.CreateLogger<FederationHub>();
        Self = new PeerIdentity(settings.Name, settings.Region, ReportFrame.Protocol, settings.Epoch ?? Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds()), settings.Version);
        _options = new RegionOptions { ReportInterval = settings.ReportInterval };
        _set = new PeerSet([.. settings.Peers.Select(p => new Peer(p, _options, time))]);
        _clock = new ReportClock(time, settings.ReportInterval, settings.LeastInterval, Tick);
    }

    /// <summary>Raised when a peer says that it goes by a configuration, on the thread that reads its reports; comes with every report.</summary>
    public event Action<PeerAddress, ConfigTag>? ConfigHeard;

    /// <summary>Who this gateway is towards its peers.</summary>
    public PeerIdentity Self { get; }

    /// <summary>The peers as configured, ordered by name.</summary>
    public ImmutableArray<PeerAddress> Addresses => [.. _set.Ordered.Select(p => p.Address)];

    /// <summary>The configuration that reports say this region goes by.</summary>
    public ConfigTag Config
    {
        get => _config;
        set => _config = value;
    }

    /// <summary>Begins to follow the peers and to make reports.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _isStarted = true;
            Federate();
            foreach (var peer in _set.Ordered) Follow(peer);
        }

        _clock.Start();
    }

    /// <summary>
    /// Sets the peers. One that stays as it was keeps its link, whatever becomes of the others; one that is gone is neither followed nor answered any more, and what
    /// waits there for its first byte goes elsewhere; one whose name or address has changed is another one.
    /// </summary>
    /// <param name="peers">All of them.</param>
    /// <exception cref="ArgumentException">Two share a name or region, or one has no address; nothing has changed then.</exception>
    public void SetPeers(ImmutableArray<PeerAddress> peers)
    {
        (_settings with { Peers = peers }).Validate();
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;
            var before = _set;
            var after = new PeerSet([.. peers.Select(p => before.Kept(p) ?? new Peer(p, _options, _time))]);
            Peer[] gone = [.. before.Ordered.Except(after.Ordered)];
            Peer[] come = [.. after.Ordered.Except(before.Ordered)];
            if (gone.Length == 0 && come.Length == 0) return;
            // First nobody finds it any more, then it ends.
            _set = after;
            if (_isStarted)
            {
                foreach (var peer in gone) _engine.PeerLost(peer.Address.Region);
                Federate();
                foreach (var peer in come) Follow(peer);
            }

            foreach (var peer in gone)
            {
                FederationLog.Removed(_log, peer.Address.Name, peer.Address.Region);
                peer.Dispose();
            }

            foreach (var peer in come) FederationLog.Added(_log, peer.Address.Name, peer.Address.Region, peer.Address.Urls[0]);
        }
    }

    /// <summary>State of every peer, ordered by name.</summary>
    public ImmutableArray<PeerLinkSnapshot> Peers() => [.. _set.Ordered.Select(p => p.Snapshot())];

    /// <summary>Whether a reader is a peer; null when it is, else why not.</summary>
    /// <param name="reader">What the reader says of itself; null when it says nothing.</param>
    public string? Objection(PeerIdentity? reader)
    {
        if (reader is null) return "says not who it is";
        if (reader.Name == Self.Name) return $"calls itself '{reader.Name}', which is this gateway's own name";
        return _set.ByName.TryGetValue(reader.Name, out var peer) ? Self.Objection(peer.Address, reader) : $"calls itself '{reader.Name}', which is none of this gateway's peers";
    }

    /// <summary>The peer that serves a region; null when none does.</summary>
    public PeerAddress? PeerOf(string region) => _set.ByRegion.GetValueOrDefault(region)?.Address;

    /// <summary>Address of the peer that answered last, else its first; null for an unknown region.</summary>
    public Uri? UrlOf(string region) => _set.ByRegion.TryGetValue(region, out var peer) ? peer.Url ?? peer.Address.Urls[0] : null;

    /// <summary>Cancelled when the peer of a region becomes unreachable; none for an unknown region.</summary>
    public CancellationToken ReachableToken(string region) => _set.ByRegion.TryGetValue(region, out var peer) ? peer.Reachable : CancellationToken.None;

    /// <summary>Asks a peer for something besides its reports, over a connection of its own.</summary>
    /// <param name="peer">The peer, by name.</param>
    /// <param name="path">Path.</param>
    /// <param name="mostBytes">Largest answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer's body.</returns>
    /// <exception cref="HttpRequestException">It could not be had; the message says why.</exception>
    public async Task<byte[]> AskAsync(string peer, string path, int mostBytes, CancellationToken cancellationToken)
    {
        if (!_set.ByName.TryGetValue(peer, out var known)) throw new HttpRequestException($"'{peer}' is no peer any more.");
        return await PeerQuestion.AskAsync(known.Url ?? known.Address.Urls[0], known.Address, path, mostBytes, Self, _connect, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes reports to a reader until it leaves or comes again: everything first, then what changed, at every interval and at once on a big
    /// change. What a slow reader has not taken is replaced by the newest.
    /// </summary>
    /// <param name="reader">A peer: <see cref="Objection"/> has said null.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Cancelled when the reader leaves.</param>
    public async Task PublishAsync(PeerIdentity reader, PipeWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(output);
        if (!_set.ByName.TryGetValue(reader.Name, out var peer)) return;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var publishing = peer.BeginPublishing(ends.Token);
        peer.Greeted(reader.Epoch);
        try
        {
            var writer = new ByteWriter();
            var before = ReportSections.Empty;
            var isFull = true;
            var number = 0;
            while (!publishing.IsCancellationRequested)
            {
                var tick = _tick.Task;
                var pools = _engine.BuildReport(peer.Address.Region);
                var sections = PoolSections.Write(pools, writer);
                if (peer.Next(sections, _config, isFull, _settings.ReportInterval, Granted(pools)) is { } frame)
                {
                    writer.Clear();
                    frame.Write(before, writer);
                    peer.Sent(WriteEvent(output, writer.Written));
                    (before, isFull) = (sections, false);
                    var flushed = await output.FlushAsync(publishing.Token).ConfigureAwait(false);
                    if (flushed.IsCompleted || flushed.IsCanceled) return;
                }

                // A peer takes the link for sound once several reports have come in a row: nothing is won by letting it wait for them.
                if (++number < _options.ReportsToReturn) await Task.Delay(_settings.LeastInterval, _time, publishing.Token).ConfigureAwait(false);
                else await tick.WaitAsync(publishing.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has left, or has come again.
        }
        finally
        {
            peer.EndPublishing(publishing);
        }
    }

    /// <inheritdoc/>
    Task IFederation.PublishAsync(PeerIdentity self, PeerIdentity reader, PipeWriter output, CancellationToken cancellationToken) => PublishAsync(reader, output, cancellationToken);

    /// <summary>Leaves the federation.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _clock.DisposeAsync().ConfigureAwait(false);
        Task[] running;
        lock (_gate) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
        foreach (var peer in _set.Ordered) peer.Dispose();
        _stop.Dispose();
    }

    private static double Granted(ImmutableArray<PoolReport> pools)
    {
        var granted = 0.0;
        foreach (var pool in pools)
        {
            foreach (var tier in pool.Tiers) granted += tier.Grant;
        }

        return granted;
    }

    private static int WriteEvent(PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        var length = Base64.GetMaxEncodedToUtf8Length(bytes.Length);
        var span = output.GetSpan(length + FederationPaths.EventOverheadBytes);
        "data: "u8.CopyTo(span);
        Base64.EncodeToUtf8(bytes, span[6..], out _, out var written);
        "\n\n"u8.CopyTo(span[(6 + written)..]);
        output.Advance(written + FederationPaths.EventOverheadBytes);
        return written + FederationPaths.EventOverheadBytes;
    }

    private void Tick(TimeSpan passed)
    {
        try
        {
            foreach (var peer in _set.Ordered)
            {
                // Whoever has not run for a while hears its own silence: what came meanwhile is read first.
                if (passed > _settings.ReportInterval * 3 || peer.Look() is not { } change) continue;
                // A suspicion comes and goes with every hiccup of a machine; it is in the metrics. What was told last is what the next line goes on from.
                if (peer.Tell(change.After) is { } before) FederationLog.Changed(_log, peer.Address.Name, peer.Address.Region, change.After, before);
                else FederationLog.Suspected(_log, peer.Address.Name, change.After, change.Before);
            }

            Interlocked.Exchange(ref _tick, new TaskCompletionSource()).TrySetResult();
        }
        catch (Exception e)
        {
            // Whoever reads must not take the clock with it.
            FederationLog.Failed(_log, e);
        }
    }

    private void Federate() => _engine.Federate([.. _set.Ordered.Select(p => p.Address.Region)], _clock.Wake, Peers);

    private void Follow(Peer peer)
    {
        var follower = new PeerFollower(peer, Self, _settings, _connect, Received, Lost, _time, _log);
        _running.RemoveAll(static t => t.IsCompleted);
        _running.Add(Task.Run(() => RunAsync(peer, follower)));
    }

    private async Task RunAsync(Peer peer, PeerFollower follower)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, peer.Removed);
        await follower.RunAsync(ends.Token).ConfigureAwait(false);
    }

    private void Received(Peer peer, RegionReport? report, TimeSpan? roundTrip, bool isTurn)
    {
        // What was read as the peer left is of the region's new one no business.
        if (peer.Removed.IsCancellationRequested) return;

        if (roundTrip is { } time) _engine.ApplyRoundTrip(peer.Address.Region, time);
        if (report is null) return;
        _engine.ApplyPeer(report);
        ConfigHeard?.Invoke(peer.Address, peer.Config);
        // The peer grants nothing to whom it does not know to be heard, nor we to it: neither waits for the next interval.
        if (isTurn) _clock.Wake();
    }

    private void Lost(Peer peer)
    {
        if (!peer.Removed.IsCancellationRequested) _engine.PeerLost(peer.Address.Region);
    }
}
