using System.Buffers.Text;
using System.Collections.Frozen;
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
    private readonly FrozenDictionary<string, Peer> _byName;
    private readonly FrozenDictionary<string, Peer> _byRegion;
    private readonly Peer[] _peers;
    private readonly ReportClock _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
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
        var options = new RegionOptions { ReportInterval = settings.ReportInterval };
        _peers = [.. settings.Peers.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => new Peer(p, options, time))];
        _byName = _peers.ToFrozenDictionary(p => p.Address.Name, StringComparer.Ordinal);
        _byRegion = _peers.ToFrozenDictionary(p => p.Address.Region, StringComparer.Ordinal);
        _clock = new ReportClock(time, settings.ReportInterval, settings.LeastInterval, Tick);
    }

    /// <summary>Raised when a peer says that it goes by a configuration, on the thread that reads its reports; comes with every report.</summary>
    public event Action<PeerAddress, ConfigTag>? ConfigHeard;

    /// <summary>Who this gateway is towards its peers.</summary>
    public PeerIdentity Self { get; }

    /// <summary>The peers as configured, ordered by name.</summary>
    public ImmutableArray<PeerAddress> Addresses => [.. _peers.Select(p => p.Address)];

    /// <summary>The configuration that reports say this region goes by.</summary>
    public ConfigTag Config
    {
        get => _config;
        set => _config = value;
    }

    /// <summary>Begins to follow the peers and to make reports.</summary>
    public void Start()
    {
        _engine.Federate([.. _peers.Select(p => p.Address.Region)], _clock.Wake, Peers);
        foreach (var peer in _peers)
        {
            var follower = new PeerFollower(peer, Self, _settings, _connect, Received, Lost, _time, _log);
            _running.Add(Task.Run(() => follower.RunAsync(_stop.Token)));
        }

        _clock.Start();
    }

    /// <summary>State of every peer, ordered by name.</summary>
    public ImmutableArray<PeerLinkSnapshot> Peers() => [.. _peers.Select(p => p.Snapshot())];

    /// <summary>Whether a reader is a peer; null when it is, else why not.</summary>
    /// <param name="reader">What the reader says of itself; null when it says nothing.</param>
    public string? Objection(PeerIdentity? reader)
    {
        if (reader is null) return "says not who it is";
        if (reader.Name == Self.Name) return $"calls itself '{reader.Name}', which is this gateway's own name";
        return _byName.TryGetValue(reader.Name, out var peer) ? Self.Objection(peer.Address, reader) : $"calls itself '{reader.Name}', which is none of this gateway's peers";
    }

    /// <summary>The peer that serves a region; null when none does.</summary>
    public PeerAddress? PeerOf(string region) => _byRegion.GetValueOrDefault(region)?.Address;

    /// <summary>Address of the peer that answered last, else its first; null for an unknown region.</summary>
    public Uri? UrlOf(string region) => _byRegion.TryGetValue(region, out var peer) ? peer.Url ?? peer.Address.Urls[0] : null;

    /// <summary>Cancelled when the peer of a region becomes unreachable; none for an unknown region.</summary>
    public CancellationToken ReachableToken(string region) => _byRegion.TryGetValue(region, out var peer) ? peer.Reachable : CancellationToken.None;

    /// <summary>Asks a peer for something besides its reports, over a connection of its own.</summary>
    /// <param name="peer">The peer, by name.</param>
    /// <param name="path">Path.</param>
    /// <param name="mostBytes">Largest answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer's body.</returns>
    /// <exception cref="HttpRequestException">It could not be had; the message says why.</exception>
    public async Task<byte[]> AskAsync(string peer, string path, int mostBytes, CancellationToken cancellationToken)
    {
        var known = _byName[peer];
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
        var peer = _byName[reader.Name];
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var publishing = peer.BeginPublishing(ends.Token);
        try
        {
            var writer = new ByteWriter();
            var before = ReportSections.Empty;
            var isFull = true;
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

                await tick.WaitAsync(publishing.Token).ConfigureAwait(false);
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
        await Task.WhenAll(_running).ConfigureAwait(false);
        foreach (var peer in _peers) peer.Dispose();
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
            foreach (var peer in _peers)
            {
                // Whoever has not run for a while hears its own silence: what came meanwhile is read first.
                if (passed > _settings.ReportInterval * 3 || peer.Look() is not { } change) continue;
                // A suspicion comes and goes with every hiccup of a machine; it is in the metrics.
                var isHiccup = change is { After: PeerReach.Suspect, Before: PeerReach.Healthy } or { After: PeerReach.Healthy, Before: PeerReach.Suspect };
                if (isHiccup) FederationLog.Suspected(_log, peer.Address.Name, change.After, change.Before);
                else FederationLog.Changed(_log, peer.Address.Name, peer.Address.Region, change.After, change.Before);
            }

            Interlocked.Exchange(ref _tick, new TaskCompletionSource()).TrySetResult();
        }
        catch (Exception e)
        {
            // Whoever reads must not take the clock with it.
            FederationLog.Failed(_log, e);
        }
    }

    private void Received(Peer peer, RegionReport? report, TimeSpan? roundTrip)
    {
        if (roundTrip is { } time) _engine.ApplyRoundTrip(peer.Address.Region, time);
        if (report is null) return;
        _engine.ApplyPeer(report);
        ConfigHeard?.Invoke(peer.Address, peer.Config);
    }

    private void Lost(Peer peer) => _engine.PeerLost(peer.Address.Region);
}
