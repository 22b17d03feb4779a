using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Engine;

/// <summary>Does the handshake of TLS over a connection that has just been opened.</summary>
/// <param name="connection">The connection; it belongs to the stream that is returned, and to the callee when it throws.</param>
/// <param name="cancellationToken">Ends the handshake.</param>
/// <returns>The stream to speak over: an <see cref="System.Net.Security.SslStream"/>.</returns>
/// <exception cref="System.Security.Authentication.AuthenticationException">The other side is not who it should be; the message says why.</exception>
public delegate ValueTask<Stream> SecureConnection(Stream connection, CancellationToken cancellationToken);

/// <summary>Settings of an engine. Each has a default; every range is checked at start.</summary>
public sealed record EngineOptions
{
    /// <summary>Stable name of this process's gateway, not empty; <c>gateway</c> by default.</summary>
    public string GatewayId { get; init; } = "gateway";

    /// <summary>Time between two heartbeats of the local session, 10 ms to 1 min, at most a third of the session time-out; 1 s by default.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time between two scrapes of an endpoint that is neither crowded nor at rest, 10 ms to 5 min; 200 ms by default.</summary>
    public TimeSpan ScrapeInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Time between two scrapes of a crowded endpoint: one with waiting requests, or a KV cache as full as
    /// <see cref="CrowdedKvUtilizationRatio"/>. 10 ms to 5 min, 50 ms by default; never longer than <see cref="ScrapeInterval"/>, whatever it says.
    /// </summary>
    public TimeSpan CrowdedScrapeInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Share of KV-cache blocks in use from which an endpoint counts as crowded, 0–1; 0.8 by default.</summary>
    public double CrowdedKvUtilizationRatio { get; init; } = 0.8;

    /// <summary>
    /// Longest time between two scrapes of a resting endpoint: one without requests, whose metrics do not change. The interval doubles with
    /// each such page up to this, and is <see cref="ScrapeInterval"/> again with the first request that is sent there. 10 ms to 10 min, 2 s by
    /// default; never shorter than <see cref="ScrapeInterval"/>, which turns it off.
    /// </summary>
    public TimeSpan IdleScrapeInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time that one page may take, 10 ms to 1 min; 1 s by default.</summary>
    public TimeSpan ScrapeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause after scrapes that failed, from the scrape interval to 10 min; 5 s by default.</summary>
    public TimeSpan ScrapeBackOffLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest page of metrics, 1 KiB to 64 MiB; 4 MiB by default.</summary>
    public int MaxMetricsPageBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Time between probes while an endpoint has not been healthy yet or requests fail to reach it, 10 ms to 10 s; 200 ms by default. No endpoint is
    /// probed more often.
    /// </summary>
    public TimeSpan QuickProbeInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Quick probes at most until an endpoint is healthy for the first time, 0–1,000; 25 by default. After them the health check's interval holds.</summary>
    public int QuickProbeLimit { get; init; } = 25;

    /// <summary>Time between two readings of an endpoint's model list, 100 ms to 1 h; 10 s by default.</summary>
    public TimeSpan ModelListInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time that a model list may take, 10 ms to 1 min; 5 s by default.</summary>
    public TimeSpan ModelListTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest model list, 1 KiB to 64 MiB; 1 MiB by default.</summary>
    public int MaxModelListBytes { get; init; } = 1 << 20;

    /// <summary>Models of one endpoint at most, 1–100,000; 1,024 by default. A longer list is refused as a whole.</summary>
    public int MaxModelsPerEndpoint { get; init; } = 1024;

    /// <summary>Time that a connection may take to open, 10 ms to 1 min; 2 s by default.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// What puts TLS over a connection to an endpoint; null, and null for an endpoint, by default: clear text. It holds for health probes on the endpoint's own port,
    /// its list of models and its pages of metrics on that port.
    /// </summary>
    public Func<EndpointId, SecureConnection?>? Security { get; init; }

    /// <summary>
    /// Settings of every pool state. The engine sets the epoch, and raises <see cref="PoolStateOptions.SampleMaxAge"/> to three scrape intervals
    /// if it is shorter. Readings of resting endpoints count as long as three of their own intervals.
    /// </summary>
    public PoolStateOptions Pool { get; init; } = new();

    /// <summary>Age up to which readings of endpoints count that are scraped at <see cref="ScrapeInterval"/>: at least three intervals.</summary>
    internal TimeSpan SampleMaxAge => Least(Pool.SampleMaxAge > ScrapeInterval * 3 ? Pool.SampleMaxAge : ScrapeInterval * 3, TimeSpan.FromMinutes(10));

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(GatewayId);
        Pool.Validate();
        Check(HeartbeatInterval, Milliseconds(10), Least(TimeSpan.FromMinutes(1), Pool.SessionTimeout / 3), nameof(HeartbeatInterval));
        Check(ScrapeInterval, Milliseconds(10), TimeSpan.FromMinutes(5), nameof(ScrapeInterval));
        Check(CrowdedScrapeInterval, Milliseconds(10), TimeSpan.FromMinutes(5), nameof(CrowdedScrapeInterval));
        Check(CrowdedKvUtilizationRatio, 0, 1, nameof(CrowdedKvUtilizationRatio));
        Check(IdleScrapeInterval, Milliseconds(10), TimeSpan.FromMinutes(10), nameof(IdleScrapeInterval));
        Check(ScrapeTimeout, Milliseconds(10), TimeSpan.FromMinutes(1), nameof(ScrapeTimeout));
        Check(ScrapeBackOffLimit, ScrapeInterval, TimeSpan.FromMinutes(10), nameof(ScrapeBackOffLimit));
        Check(QuickProbeInterval, Milliseconds(10), TimeSpan.FromSeconds(10), nameof(QuickProbeInterval));
        Check(ModelListInterval, Milliseconds(100), TimeSpan.FromHours(1), nameof(ModelListInterval));
        Check(ModelListTimeout, Milliseconds(10), TimeSpan.FromMinutes(1), nameof(ModelListTimeout));
        Check(ConnectTimeout, Milliseconds(10), TimeSpan.FromMinutes(1), nameof(ConnectTimeout));
        Check(MaxMetricsPageBytes, 1 << 10, 64 << 20, nameof(MaxMetricsPageBytes));
        Check(MaxModelListBytes, 1 << 10, 64 << 20, nameof(MaxModelListBytes));
        Check(QuickProbeLimit, 0, 1000, nameof(QuickProbeLimit));
        Check(MaxModelsPerEndpoint, 1, 100_000, nameof(MaxModelsPerEndpoint));
    }

    private static TimeSpan Milliseconds(int value) => TimeSpan.FromMilliseconds(value);

    private static TimeSpan Least(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static void Check<T>(T value, T least, T most, string name)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
