using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Capacity, preference and time-outs of a pool's backends, by cluster label where scopes say so.</summary>
internal sealed record GcpBackendPolicy(ResourceHeader Header) : Resource(Header), IPolicy
{
    public static KindDefinition Kind { get; } = new("GCPBackendPolicy", ["networking.gke.io/v1"], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    public Located<int>? TimeoutSec { get; private init; }

    public Located<int>? DrainingTimeoutSec { get; private init; }

    public SessionAffinity? Affinity { get; private init; }

    public Located<bool>? LogEnabled { get; private init; }

    public Located<int>? LogSampleRate { get; private init; }

    public Located<Core.Config.TrafficDuration>? TrafficDuration { get; private init; }

    /// <summary>Fields of <c>default</c> that could stand in a scope as well.</summary>
    public BackendFields Default { get; private init; } = BackendFields.None;

    public ImmutableArray<PolicyScope> Scopes { get; private init; } = [];

    private static GcpBackendPolicy Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        var target = spec.Object("targetRef", LocalRef.ReadTarget, required: true);
        var policy = spec.Object("default", d => ReadDefault(header, d)) ?? new GcpBackendPolicy(header);
        return policy with { Target = target };
    }, required: true) ?? new GcpBackendPolicy(header);

    private static GcpBackendPolicy ReadDefault(ResourceHeader header, ObjectReader d)
    {
        foreach (var vendorOnly in (ReadOnlySpan<string>)["securityPolicy", "iap"])
        {
            d.Ignore(vendorOnly);
            if (d.Has(vendorOnly))
                d.Report.Warning(
                    d.SpotOf(vendorOnly), DiagnosticCodes.NoCounterpart,
                    $"{vendorOnly} names a service of the vendor's cloud and has no effect in the mesh");
        }

        Located<bool>? log = null;
        Located<int>? sampleRate = null;
        d.Object("logging", l =>
        {
            log = l.Bool("enabled");
            sampleRate = l.Int("sampleRate", 0, 1_000_000);
            return l;
        });
        return new GcpBackendPolicy(header)
        {
            TimeoutSec = d.Int("timeoutSec", 1, int.MaxValue),
            DrainingTimeoutSec = d.Object("connectionDraining", c => c.Int("drainingTimeoutSec", 0, 3600)),
            Affinity = d.Object("sessionAffinity", SessionAffinity.Read),
            LogEnabled = log,
            LogSampleRate = sampleRate,
            TrafficDuration = d.Choice(
                "trafficDuration", [("SHORT", Core.Config.TrafficDuration.Short), ("LONG", Core.Config.TrafficDuration.Long)]),
            Default = BackendFields.Read(d),
            Scopes = ReadScopes(d),
        };
    }

    private static ImmutableArray<PolicyScope> ReadScopes(ObjectReader d)
    {
        var scopes = d.List("scopes", PolicyScope.Read);
        return [.. scopes.Select((s, i) => s with { Index = i })];
    }
}
