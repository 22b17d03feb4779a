using System.Globalization;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Where a pool's model servers publish what their caches hold, so that the mesh follows it. A kind of the mesh's own.</summary>
internal sealed record KvEventsPolicy(ResourceHeader Header) : Resource(Header), IPolicy
{
    private const int MaxPort = 65535;

    public static KindDefinition Kind { get; } = new("KvEventsPolicy", [MeshGroup.Version], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    public Located<bool>? Enabled { get; private init; }

    public Located<int>? Port { get; private init; }

    public Located<int>? ReplayPort { get; private init; }

    public Located<string>? Topic { get; private init; }

    public Located<int>? Ranks { get; private init; }

    public Located<double>? OffloadWeight { get; private init; }

    private static KvEventsPolicy Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => Spec(header, spec), required: true) ?? new KvEventsPolicy(header);

    private static KvEventsPolicy Spec(ResourceHeader header, ObjectReader spec)
    {
        var policy = new KvEventsPolicy(header)
        {
            Target = spec.Object("targetRef", LocalRef.ReadTarget, required: true),
            Enabled = spec.Bool("enabled"),
            Port = spec.Int("port", 1, MaxPort),
            ReplayPort = spec.Int("replayPort", 1, MaxPort),
            Topic = spec.String("topic", allowEmpty: true, maxLength: 255),
            Ranks = spec.Int("ranks", 1, 256),
            OffloadWeight = spec.Number("offloadWeight", 0, 1),
        };
        policy.CheckPorts(spec);
        return policy;
    }

    // The n-th rank publishes n ports higher, and replays n ports higher.
    private void CheckPorts(ObjectReader spec)
    {
        var ranks = Ranks?.Value ?? 1;
        var port = Port?.Value ?? new Core.Config.KvEventsConfig().Port;
        if (port + ranks - 1 > MaxPort) TooHigh(spec, Port?.At ?? spec.SpotOf("ranks"), "port", port, ranks);
        if (ReplayPort is not { } replay) return;
        if (replay.Value + ranks - 1 > MaxPort) TooHigh(spec, replay.At, "replayPort", replay.Value, ranks);
        if (Math.Abs(replay.Value - port) < ranks)
            spec.Report.Error(
                replay.At, DiagnosticCodes.PortOverlap,
                string.Create(CultureInfo.InvariantCulture, $"With {ranks} ranks replayPort {replay.Value} and port {port} meet: each rank adds 1 to both"),
                string.Create(CultureInfo.InvariantCulture, $"leave at least {ranks} between them, for example replayPort: {(port + 100 + ranks > MaxPort ? port - 1000 : port + 100)}"));
    }

    private static void TooHigh(ObjectReader spec, Spot at, string field, int port, int ranks) =>
        spec.Report.Error(
            at, DiagnosticCodes.OutOfRange,
            string.Create(CultureInfo.InvariantCulture, $"{field} {port} with {ranks} ranks ends at {port + ranks - 1}, above {MaxPort}: each rank adds 1"),
            string.Create(CultureInfo.InvariantCulture, $"{MaxPort - ranks + 1} at most"));
}
