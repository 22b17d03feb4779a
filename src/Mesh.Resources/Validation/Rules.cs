using System.Collections.Immutable;

namespace Mesh.Resources.Validation;

/// <summary>All rules. To add one: a file beside this and a line here.</summary>
internal static class Rules
{
    public static ImmutableArray<IRule> All { get; } =
    [
        new ClustersAreDeclared(),
        new OneConfigCluster(),
        new ObjectsAreUnique(),
        new ConfigClusterKinds(),
        new ComputedImports(),
        new ExportAnnotations(),
        new EndpointPickerIsReplaced(),
        new PoolsHaveEndpoints(),
        new EndpointsAreUnique(),
        new EndpointsHaveZones(),
        new GatewayListeners(),
        new GatewayRegions(),
        new PeerGateways(),
        new RouteParents(),
        new RouteBackends(),
        new PolicyTargets(),
        new OnePolicyPerTarget(),
        new ScopeFields(),
        new ModeAndCapacity(),
        new TrafficDurations(),
        new ScopesAreReachable(),
        new PolicyMetricsAreExported(),
        new MetricExports(),
        new NamedHealthCheckPorts(),
        new WaitsEndBeforeTimeouts(),
        new QueueOrdersAgree(),
        new ObjectivePools(),
        new ObjectivesAgree(),
        new ModelRewrites(),
        new NoEffectYet(),
    ];
}
