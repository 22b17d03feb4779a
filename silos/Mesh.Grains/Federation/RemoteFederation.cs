using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Text.Json;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Links;
using Mesh.Grains.Keeping;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Federation;

/// <summary>
/// The region among its peers as its gateways and silos see it: the region's grain has the links, and says how they are. A gateway relays the grain's reports to
/// peers that connect here. While the grain cannot be reached, what was last known holds. Thread-safe.
/// </summary>
internal sealed partial class RemoteFederation : IFederation, IRegionConfiguration
{
    private static readonly TimeSpan AskInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(10);
    private readonly Func<PeerAddress, HttpMessageInvoker> _connect;
    private readonly IRegionFederationGrain _grain;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _gateway;
    private readonly FederationSettings _settings;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CancellationTokenSource> _reachable = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private volatile PeerIdentity _self;
    private volatile Known _known;
    private ImmutableArray<PeerLinkSnapshot> _links;
    private Task _following = Task.CompletedTask;
    private long _streams;
    private volatile ConfigTag _config = ConfigTag.None;
    private volatile bool _hasConflict;

    /// <param name="settings">Who is who, as everywhere in the region.</param>
    /// <param name="connect">Gives a client for one connection to a peer.</param>
    /// <param name="gateway">Name of this process, another one for each start.</param>
    /// <param name="grains">Way to the grains.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <exception cref="ArgumentException">A setting is out of its range, or two peers share a name or region.</exception>
    public RemoteFederation(
        FederationSettings settings, Func<PeerAddress, HttpMessageInvoker> connect, string gateway, IGrainFactory grains, TimeProvider time, ILoggerFactory loggers)
    {
        settings.Validate();
        (_settings, _connect, _gateway, _time) = (settings, connect, gateway, time);
        _log = loggers.CreateLogger<RemoteFederation>();
        // By its own id: a client that has not met a silo yet could not look the type up.
        _grain = grains.GetGrain<IRegionFederationGrain>(GrainId.Create(RegionGrain.TypeName, settings.Region));
        _self = new PeerIdentity(settings.Name, settings.Region, FederationHub.Protocol, 0, settings.Version);
        _known = new Known(settings.Peers);
        _links = [.. Addresses.Select(Unheard)];
        foreach (var peer in Addresses) _reachable.Add(peer.Region, new CancellationTokenSource());
    }

    /// <inheritdoc/>
    public event Action<PeerAddress, ConfigTag>? ConfigHeard
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public PeerIdentity Self => _self;

    /// <inheritdoc/>
    public ImmutableArray<PeerAddress> Addresses => _known.Ordered;

    /// <inheritdoc/>
    public ConfigTag Config
    {
        get => _config;
        set
        {
            // The region's grain says which it is.
        }
    }

    /// <inheritdoc/>
    public ConfigTag Tag => _config;

    /// <inheritdoc/>
    public bool HasConflict => _hasConflict;

    /// <inheritdoc/>
    public void Start() => _following = Task.Run(() => FollowAsync(_stop.Token));

    /// <inheritdoc/>
    public void SetPeers(ImmutableArray<PeerAddress> peers)
    {
        (_settings with { Peers = peers }).Validate();
        List<CancellationTokenSource> gone = [];
        lock (_gate)
        {
            var (before, after) = (_known, new Known(peers));
            if (after.Ordered.SequenceEqual(before.Ordered)) return;
            // First nobody finds it any more, then what waits there goes elsewhere. The grain's silo, which follows them, reads the same manifests.
            _known = after;
            foreach (var peer in before.Ordered)
            {
                if (!after.ByRegion.ContainsKey(peer.Region) && _reachable.Remove(peer.Region, out var reachable)) gone.Add(reachable);
            }

            foreach (var peer in after.Ordered)
            {
                if (!_reachable.ContainsKey(peer.Region)) _reachable.Add(peer.Region, new CancellationTokenSource());
            }

            _links = [.. after.Ordered.Select(p => _links.FirstOrDefault(l => l.Region == p.Region && l.Name == p.Name) ?? Unheard(p))];
        }

        foreach (var reachable in gone) reachable.Cancel();
        PeersChanged(_log, string.Join(", ", Addresses.Select(p => p.Name)));
    }

    /// <inheritdoc/>
    public ImmutableArray<PeerLinkSnapshot> Peers()
    {
        lock (_gate) return _links;
    }

    /// <inheritdoc/>
    public string? Objection(PeerIdentity? reader)
    {
        if (reader is null) return "says not who it is";
        if (reader.Name == Self.Name) return $"calls itself '{reader.Name}', which is this gateway's own name";
        return _known.ByName.TryGetValue(reader.Name, out var peer) ? Self.Objection(peer, reader) : $"calls itself '{reader.Name}', which is none of this gateway's peers";
    }

    /// <inheritdoc/>
    public PeerAddress? PeerOf(string region) => _known.ByRegion.GetValueOrDefault(region);

    /// <inheritdoc/>
    public Uri? UrlOf(string region)
    {
        if (!_known.ByRegion.TryGetValue(region, out var peer)) return null;
        foreach (var link in Peers())
        {
            if (link.Region == region && Uri.TryCreate(link.Address, UriKind.Absolute, out var url)) return url;
        }

        return peer.Urls[0];
    }

    /// <inheritdoc/>
    public CancellationToken ReachableToken(string region)
    {
        lock (_gate) return _reachable.TryGetValue(region, out var reachable) ? reachable.Token : CancellationToken.None;
    }

    /// <inheritdoc/>
    public async Task<byte[]> AskAsync(string peer, string path, int mostBytes, CancellationToken cancellationToken)
    {
        if (!_known.ByName.TryGetValue(peer, out var known)) throw new HttpRequestException($"'{peer}' is no peer any more.");
        return await PeerQuestion.AskAsync(UrlOf(known.Region) ?? known.Urls[0], known, path, mostBytes, Self, _connect, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task PublishAsync(PeerIdentity self, PeerIdentity reader, PipeWriter output, CancellationToken cancellationToken)
    {
        // Nobody has been heard of yet: there is nothing to relay.
        if (self.Epoch == 0) return;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var call = new ReportCall
        {
            Epoch = self.Epoch,
            Stream = $"{_gateway}/{Interlocked.Increment(ref _streams)}",
            IsFirst = true,
            Name = reader.Name,
            Region = reader.Region,
            Protocol = reader.Protocol,
            PeerEpoch = reader.Epoch,
            Version = reader.Version,
        };
        try
        {
            while (!ends.IsCancellationRequested)
            {
                var page = await _grain.ReadReports(call).AsTask().WaitAsync(CallTimeout, ends.Token).ConfigureAwait(false);
                if (page.HasEnded) return;
                if (call.IsFirst) call = call with { IsFirst = false };
                if (page.Bytes.Length == 0) continue;
                output.Write(page.Bytes);
                var flushed = await output.FlushAsync(ends.Token).ConfigureAwait(false);
                if (flushed.IsCompleted || flushed.IsCanceled) return;
            }
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            // The grain's silo may have died, or the peer has left: the stream ends, and a peer that lives begins anew.
        }
    }

    /// <inheritdoc/>
    public async Task<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _grain.Configuration().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
        _stop.Dispose();
        lock (_gate)
        {
            foreach (var reachable in _reachable.Values) reachable.Dispose();
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var heardAt = _time.GetTimestamp();
        var isSilent = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // By its own clock: a client that has not met a silo yet never gives a call up.
                var news = await _grain.News().AsTask().WaitAsync(CallTimeout, cancellationToken).ConfigureAwait(false);
                if (news.Epoch > 0)
                {
                    Take(news);
                    (heardAt, isSilent) = (_time.GetTimestamp(), false);
                }
            }
            catch (Exception e)
            {
                // Its silo may have died; it will be back on another. A client that has not met a silo yet fails in ways of its own, and this must go on.
                NotHeard(_log, e, _self.Region);
            }

            if (!isSilent && _time.GetElapsedTime(heardAt) > QuietFor)
            {
                isSilent = true;
                Silent(_log, _self.Region, QuietFor.TotalSeconds);
            }

            await Task.Delay(AskInterval, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(RegionNews news)
    {
        // From an activation that has been replaced.
        if (news.Epoch < _self.Epoch) return;
        if (news.Epoch > _self.Epoch) _self = _self with { Epoch = news.Epoch };
        var links = JsonSerializer.Deserialize<PeerLinkSnapshot[]>(news.Links) ?? [];
        List<CancellationTokenSource>? lost = null;
        lock (_gate)
        {
            foreach (var link in links)
            {
                if (!IsGone(link) || _links.Any(l => l.Region == link.Region && IsGone(l)) || !_reachable.TryGetValue(link.Region, out var reachable)) continue;
                (lost ??= []).Add(reachable);
                _reachable[link.Region] = new CancellationTokenSource();
            }

            // The grain's silo may have read the manifests a moment before or after this process.
            _links = [.. Addresses.Select(p => links.FirstOrDefault(l => l.Region == p.Region && l.Name == p.Name) ?? Unheard(p))];
        }

        if (lost is not null)
        {
            foreach (var reachable in lost) reachable.Cancel();
        }

        if (news.Config == _config && news.HasConflict == _hasConflict) return;
        (_config, _hasConflict) = (news.Config, news.HasConflict);
        Changed?.Invoke();
    }

    private static PeerLinkSnapshot Unheard(PeerAddress peer) => new() { Name = peer.Name, Region = peer.Region, Address = peer.Urls[0].GetLeftPart(UriPartial.Authority) };

    private static bool IsGone(PeerLinkSnapshot link) => link.State is PeerReach.Unreachable or PeerReach.Refused;

    [LoggerMessage(1, LogLevel.Warning, "Nobody has stood for region {Region} among its peers for {Seconds:0} s: no silo answers, or the silos have no Mesh:Peers.")]
    private static partial void Silent(ILogger log, string region, double seconds);

    [LoggerMessage(2, LogLevel.Debug, "The grain of region {Region} was not heard.")]
    private static partial void NotHeard(ILogger log, Exception e, string region);

    [LoggerMessage(3, LogLevel.Information, "The peers are {Peers} from now on.")]
    private static partial void PeersChanged(ILogger log, string peers);

    private sealed class Known(ImmutableArray<PeerAddress> peers)
    {
        public ImmutableArray<PeerAddress> Ordered { get; } = [.. peers.OrderBy(p => p.Name, StringComparer.Ordinal)];

        public FrozenDictionary<string, PeerAddress> ByName { get; } = peers.ToFrozenDictionary(p => p.Name, StringComparer.Ordinal);

        public FrozenDictionary<string, PeerAddress> ByRegion { get; } = peers.ToFrozenDictionary(p => p.Region, StringComparer.Ordinal);
    }
}
