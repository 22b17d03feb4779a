using System.Collections.Concurrent;
using System.Text.Json;
using Mesh.Engine.Federation;
using Mesh.Grains.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Federation;

/// <summary>
/// A region among its peers, for as long as one activation of the region's grain lives: the hub that follows the peers, the exchange with the pools, and the
/// streams that gateways relay. Thread-safe.
/// </summary>
internal sealed partial class RegionHub : IAsyncDisposable
{
    private const int MostStreams = 1024;
    private static readonly TimeSpan ReadPatience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MostIdle = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, RelayedStream> _streams = new(StringComparer.Ordinal);
    private readonly GrainFederation _federation;
    private readonly FederationHub _hub;
    private readonly RegionExchange _exchange;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    private RegionHub(long epoch, GrainFederation federation, SiloMesh mesh, IGrainFactory grains, ILoggerFactory loggers)
    {
        (Epoch, _federation, _time) = (epoch, federation, mesh.Time);
        _log = loggers.CreateLogger<RegionHub>();
        _exchange = new RegionExchange(federation.Settings.Region, epoch, federation.Settings, mesh.Configuration, grains, mesh.Time, _log);
        _hub = new FederationHub(federation.Settings with { Peers = federation.Peers, Epoch = epoch, Seed = federation.Settings.Seed ^ (ulong)epoch }, _exchange, federation.Connect, mesh.Time, loggers);
    }

    /// <summary>Epoch of the activation.</summary>
    public long Epoch { get; }

    /// <summary>Epoch of the activation that has taken this one's place; 0 for none.</summary>
    public long SupersededBy => _exchange.SupersededBy;

    /// <summary>Streams that gateways relay.</summary>
    public int Streams => _streams.Count;

    /// <summary>Begins to follow the peers.</summary>
    public static RegionHub Start(GrainFederation federation, SiloMesh mesh, IGrainFactory grains, ILoggerFactory loggers)
    {
        var hub = new RegionHub(mesh.RegionEpochs.Next(), federation, mesh, grains, loggers);
        federation.Configuration?.Lead(hub._hub);
        hub._hub.Start();
        hub._exchange.Start();
        federation.PeersChanged += hub.TakePeers;
        // Those that came between.
        hub.TakePeers();
        Began(hub._log, federation.Settings.Region, hub.Epoch, string.Join(", ", federation.Peers.Select(p => p.Name)));
        return hub;
    }

    public RegionNews News()
    {
        var config = _hub.Config;
        return new RegionNews
        {
            Epoch = Epoch,
            Links = JsonSerializer.SerializeToUtf8Bytes(_hub.Peers()),
            ConfigCluster = config.Cluster,
            ConfigOrigin = config.Origin,
            ConfigVersion = config.Version,
            ConfigHash = config.Hash,
            HasConflict = _federation.Configuration?.HasConflict ?? false,
        };
    }

    public byte[]? Configuration() => _federation.Configuration?.Read();

    public void Sooner() => _exchange.Sooner();

    /// <summary>The next events of a stream that a gateway relays.</summary>
    public async Task<ReportPage> ReadAsync(ReportCall call)
    {
        var ended = new ReportPage([], HasEnded: true);
        if (call.Epoch != Epoch) return ended;
        if (call.IsFirst)
        {
            ForgetIdle();
            if (_hub.Objection(call.Reader) is not null || _streams.Count >= MostStreams) return ended;
            var begun = new RelayedStream(_hub, call.Reader, _time);
            if (!_streams.TryAdd(call.Stream, begun))
            {
                begun.Dispose();
                return ended;
            }
        }

        if (!_streams.TryGetValue(call.Stream, out var stream)) return ended;
        var page = await stream.ReadAsync(ReadPatience).ConfigureAwait(false);
        if (page.HasEnded) Forget(call.Stream);
        return page;
    }

    /// <summary>Ends streams whose gateways have gone.</summary>
    public void ForgetIdle()
    {
        foreach (var (name, stream) in _streams)
        {
            if (stream.Idle > MostIdle) Forget(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _federation.PeersChanged -= TakePeers;
        _federation.Configuration?.Cease(_hub);
        await _hub.DisposeAsync().ConfigureAwait(false);
        await _exchange.DisposeAsync().ConfigureAwait(false);
        foreach (var name in _streams.Keys) Forget(name);
    }

    // Checked by whoever set them.
    private void TakePeers() => _hub.SetPeers(_federation.Peers);

    private void Forget(string name)
    {
        if (_streams.TryRemove(name, out var stream)) stream.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "Region {Region}: epoch {Epoch} stands for it here; its peers are {Peers}.")]
    private static partial void Began(ILogger log, string region, long epoch, string peers);
}
