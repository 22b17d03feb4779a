using System.Collections.Immutable;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Federation;

/// <summary>What is counted and shown of the exchange with peer regions.</summary>
internal sealed class FederationMetrics
{
    private static readonly MetricLabel PeerLabel = new("peer", "mesh.peer");
    private static readonly MetricLabel ResultLabel = new("result", "mesh.result");
    private static readonly MetricLabel StateLabel = new("state", "mesh.state");

    private static readonly MetricDefinition ForwardedDefinition = new()
    {
        PageName = "mesh_forwarded_requests_total", MeterName = "mesh.forwarded_requests", Kind = MetricKind.Counter, Unit = "{request}",
        Meaning = "Requests sent to a peer region, by peer and result: answered, refused, failed before an answer, or cancelled.", Labels = [PeerLabel, ResultLabel],
    };

    private static readonly MetricDefinition ReceivedDefinition = new()
    {
        PageName = "mesh_received_requests_total", MeterName = "mesh.received_requests", Kind = MetricKind.Counter, Unit = "{request}",
        Meaning = "Requests that came from a peer region, by peer and result: placed or refused.", Labels = [PeerLabel, ResultLabel],
    };

    private static readonly ImmutableArray<ObservedDefinition> Observed =
    [
        new(Gauge("mesh_peer_round_trip_seconds", "mesh.peer.round_trip", "s", "Least round-trip time to the peer of the last while; absent before one has been measured."), static p => p.RoundTrip?.TotalSeconds),
        new(Gauge("mesh_peer_report_age_seconds", "mesh.peer.report_age", "s", "Time since the peer's last report; absent before the first."), static p => p.ReportAge?.TotalSeconds),
        new(Gauge("mesh_peer_echo_age_seconds", "mesh.peer.echo_age", "s", "Age of the newest own report that the peer says it has heard; absent before the first."), static p => p.EchoAge?.TotalSeconds),
        new(Gauge("mesh_peer_credits", "mesh.peer.credits", "{request}", "Requests that may still be sent to the peer before its next report."), static p => p.Credits),
        new(Gauge("mesh_peer_granted", "mesh.peer.granted", "{request}", "Requests that the last report to the peer lets it send."), static p => p.Granted),
        new(Gauge("mesh_peer_forwarded_in_flight_requests", "mesh.peer.forwarded_in_flight_requests", "{request}", "Requests forwarded to the peer that are under way."), static p => p.Forwarded),
        new(Counter("mesh_peer_received_bytes_total", "mesh.peer.received_bytes", "By", "Bytes of the peer's reports."), static p => p.ReceivedBytes),
        new(Counter("mesh_peer_sent_bytes_total", "mesh.peer.sent_bytes", "By", "Bytes of the reports to the peer."), static p => p.SentBytes),
        new(Gauge("mesh_peer_config_version", "mesh.peer.config_version", "1", "Version of the configuration that the peer goes by; 0 for none."), static p => p.ConfigVersion),
    ];

    private static readonly MetricDefinition State = new()
    {
        PageName = "mesh_peer_state", MeterName = "mesh.peer.state", Kind = MetricKind.Gauge, Unit = "1",
        Meaning = "1 for the state of the link to the peer, 0 for the others: connecting, healthy, suspect, unreachable or refused.", Labels = [PeerLabel, StateLabel],
    };

    private static readonly MetricDefinition ConflictDefinition = new()
    {
        PageName = "mesh_federation_config_conflict", MeterName = "mesh.federation.config_conflict", Kind = MetricKind.Gauge, Unit = "1",
        Meaning = "1 while two clusters claim to be the config cluster and the last good configuration stays in force, else 0.",
    };

    /// <summary>Definitions, in the order of the page.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } = [ForwardedDefinition, ReceivedDefinition, State, .. Observed.Select(o => o.Definition), ConflictDefinition];

    /// <summary>Requests sent to peers, by peer and result.</summary>
    public MetricFamily<Counter> Forwarded { get; } = GatewayMetrics.Counters(ForwardedDefinition);

    /// <summary>Requests that came from peers, by peer and result.</summary>
    public MetricFamily<Counter> Received { get; } = GatewayMetrics.Counters(ReceivedDefinition);

    /// <summary>Sources of the page.</summary>
    /// <param name="engine">Where the links' state is asked for.</param>
    /// <param name="conflict">Whether two config clusters are known; null without peers.</param>
    public ImmutableArray<IMetricSource> SourcesFor(IMeshEngine engine, Func<bool?> conflict) =>
    [
        Forwarded, Received, new ObservedMetric(State, (_, sink) => CollectStates(engine, sink)),
        .. Observed.Select(o => new ObservedMetric(o.Definition, (_, sink) =>
        {
            foreach (var peer in engine.Peers())
            {
                if (o.Read(peer) is { } value) sink.Sample([peer.Name], value);
            }
        })),
        new ObservedMetric(ConflictDefinition, (_, sink) =>
        {
            if (conflict() is { } isConflict) sink.Sample([], isConflict ? 1 : 0);
        }),
    ];

    private static void CollectStates(IMeshEngine engine, IMetricSink sink)
    {
        foreach (var peer in engine.Peers())
        {
            foreach (var state in Enum.GetValues<PeerReach>()) sink.Sample([peer.Name, state.ToString().ToLowerInvariant()], state == peer.State ? 1 : 0);
        }
    }

    private static MetricDefinition Counter(string page, string meter, string unit, string meaning) => Gauge(page, meter, unit, meaning) with { Kind = MetricKind.Counter };

    private static MetricDefinition Gauge(string page, string meter, string unit, string meaning) =>
        new() { PageName = page, MeterName = meter, Kind = MetricKind.Gauge, Unit = unit, Meaning = meaning, Labels = [PeerLabel] };

    private sealed record ObservedDefinition(MetricDefinition Definition, Func<PeerLinkSnapshot, double?> Read);
}
