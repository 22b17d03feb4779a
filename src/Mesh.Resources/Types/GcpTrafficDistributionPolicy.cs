using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>How load is spread over the backends of one or more pools.</summary>
internal sealed record GcpTrafficDistributionPolicy(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } =
        new("GCPTrafficDistributionPolicy", ["networking.gke.io/v1"], Read) { ConfigClusterOnly = true };

    public ImmutableArray<LocalRef> Targets { get; private init; } = [];

    public Located<ServiceLbAlgorithm>? Algorithm { get; private init; }

    public Located<bool>? AutoCapacityDrain { get; private init; }

    /// <summary>Percent, 1–99.</summary>
    public Located<int>? FailoverHealthThreshold { get; private init; }

    public SessionAffinity? Affinity { get; private init; }

    private static GcpTrafficDistributionPolicy Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        spec.Ignore("targetRef");
        spec.Hide("targetRef");
        if (spec.Has("targetRef"))
            spec.Report.Error(
                spec.SpotOf("targetRef"), DiagnosticCodes.UnknownField, "spec has no field targetRef",
                "this kind has a list: write targetRefs");
        var targets = spec.List("targetRefs", LocalRef.ReadTarget, min: 1, required: !spec.Has("targetRef"));
        var policy = spec.Object("default", d => Default(header, d)) ?? new GcpTrafficDistributionPolicy(header);
        return policy with { Targets = targets };
    }, required: true) ?? new GcpTrafficDistributionPolicy(header);

    private static GcpTrafficDistributionPolicy Default(ResourceHeader header, ObjectReader d)
    {
        foreach (var replaced in (ReadOnlySpan<string>)["localityLbAlgorithm", "customMetrics"])
        {
            d.Ignore(replaced);
            if (d.Has(replaced))
                d.Report.Info(
                    d.SpotOf(replaced), DiagnosticCodes.PickerReplaced,
                    $"{replaced} has no effect: the mesh's own picker chooses the endpoint");
        }

        return new GcpTrafficDistributionPolicy(header)
        {
            Algorithm = d.Choice("serviceLbAlgorithm",
            [
                ("WATERFALL_BY_REGION", ServiceLbAlgorithm.WaterfallByRegion), ("WATERFALL_BY_ZONE", ServiceLbAlgorithm.WaterfallByZone),
                ("SPRAY_TO_REGION", ServiceLbAlgorithm.SprayToRegion),
            ]),
            AutoCapacityDrain = d.Object("autoCapacityDrain", a => a.Bool("enableAutoCapacityDrain")),
            FailoverHealthThreshold = d.Object("failoverConfig", f => f.Int("failoverHealthThreshold", 1, 99)),
            Affinity = d.Object("sessionAffinity", SessionAffinity.Read),
        };
    }
}
