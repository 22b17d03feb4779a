using System.Collections.Concurrent;
using Mesh.Engine.Http;
using Mesh.Engine.Monitoring;
using Mesh.Engine.Probing;
using Mesh.Engine.Telemetry;
using Mesh.Grains.Pools;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Hosting;

/// <summary>What the grains of one silo share: settings, configuration, clock, and what probes and scrapes go through.</summary>
internal sealed class SiloMesh : IDisposable
{
    private readonly EngineMetrics _metrics;
    private readonly EngineHttpHandlers _handlers;
    private readonly CancellationTokenSource _leaving = new();
    private long _phases;

    public SiloMesh(GrainOptions options, SiloConfiguration configuration, MeshClock clock, ILoggerFactory loggers, IClusterMembershipService membership)
    {
        options.Validate();
        Options = options;
        Configuration = configuration;
        Time = clock.Time;
        _metrics = new EngineMetrics(this);
        _handlers = new EngineHttpHandlers(options.Engine.ConnectTimeout, options.Engine.Security);
        Monitors = new MonitorServices(
            options.Engine, Time, _handlers, new EndpointProber(_handlers, options.Engine, Time, _metrics), _metrics, loggers.CreateLogger<EndpointMonitor>());
        Epochs = new EpochSource(Time, membership);
        Leftovers = new Leftovers(Time);
    }

    public GrainOptions Options { get; }

    public SiloConfiguration Configuration { get; }

    public TimeProvider Time { get; }

    public MonitorServices Monitors { get; }

    public EpochSource Epochs { get; }

    /// <summary>What pools have just left here.</summary>
    public Leftovers Leftovers { get; }

    /// <summary>Pools that run here.</summary>
    public ConcurrentDictionary<PoolGrain, byte> Residents { get; } = [];

    /// <summary>Cancelled when the silo begins to stop: nobody should be kept waiting here any longer.</summary>
    public CancellationToken Leaving => _leaving.Token;

    /// <summary>Where in its interval the next endpoint is scraped, 0–1: multiples of the golden ratio spread more evenly than random numbers.</summary>
    public double NextPhase() => Interlocked.Increment(ref _phases) * 0.6180339887498949 % 1;

    /// <summary>The silo begins to stop.</summary>
    public void Leave() => _leaving.Cancel();

    public void Dispose()
    {
        _leaving.Dispose();
        _handlers.Dispose();
        _metrics.Dispose();
    }
}

/// <summary>The clock of decisions and pauses. A type of its own: the runtime's own clock must not be another one in tests.</summary>
/// <param name="Time">The clock.</param>
internal sealed record MeshClock(TimeProvider Time);
