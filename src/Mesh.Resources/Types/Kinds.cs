using System.Collections.Immutable;

namespace Mesh.Resources.Types;

/// <summary>All kinds that the mesh reads. To add one: a file beside this with its reader, and a line here.</summary>
internal static class Kinds
{
    public static ImmutableArray<KindDefinition> All { get; } =
    [
        AutoscalingMetric.Kind,
        ClusterProfile.Kind,
        EndpointSlice.Kind,
        FlowControlPolicy.Kind,
        Gateway.Kind,
        GcpBackendPolicy.Kind,
        GcpInferencePoolImport.Kind,
        GcpTrafficDistributionPolicy.Kind,
        HealthCheckPolicy.Kind,
        HttpRoute.Kind,
        InferenceModelRewrite.Kind,
        InferenceObjective.Kind,
        InferencePool.Kind,
        KvEventsPolicy.Kind,
        Pod.Kind,
        SchedulingProfile.Kind,
    ];
}
