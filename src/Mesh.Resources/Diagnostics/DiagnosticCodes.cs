namespace Mesh.Resources.Diagnostics;

/// <summary>Stable ids of what can be found in manifests.</summary>
public static class DiagnosticCodes
{
    /// <summary>A gateway address names no region.</summary>
    public const string AddressWithoutRegion = "address-without-region";

    /// <summary>A field of session affinity has no meaning with the chosen type.</summary>
    public const string AffinityFieldUnused = "affinity-field-unused";

    /// <summary>Two names of one field have different values.</summary>
    public const string AliasConflict = "alias-conflict";

    /// <summary>A field is written by its second name.</summary>
    public const string AliasUsed = "alias-used";

    /// <summary>A utilization could be a fraction or a percentage.</summary>
    public const string AmbiguousUtilization = "ambiguous-utilization";

    /// <summary>An annotation of the mesh has a value without meaning.</summary>
    public const string AnnotationValue = "annotation-value";

    /// <summary>A route sends to something that is no pool.</summary>
    public const string BackendKind = "backend-kind";

    /// <summary>A route sends to a pool of another namespace.</summary>
    public const string BackendNamespace = "backend-namespace";

    /// <summary>A route sends to a pool that does not exist or is not exported.</summary>
    public const string BackendUnresolved = "backend-unresolved";

    /// <summary>A balancing mode has no target.</summary>
    public const string CapacityMissing = "capacity-missing";

    /// <summary>A capacity field does not belong to the balancing mode.</summary>
    public const string CapacityModeMismatch = "capacity-mode-mismatch";

    /// <summary>The label with the cluster's name differs from the profile's name.</summary>
    public const string ClusterNameMismatch = "cluster-name-mismatch";

    /// <summary>Two profiles declare one cluster.</summary>
    public const string ClusterRepeated = "cluster-repeated";

    /// <summary>A cluster directory has no ClusterProfile.</summary>
    public const string ClusterUndeclared = "cluster-undeclared";

    /// <summary>A profile's cluster has no directory.</summary>
    public const string ClusterWithoutDirectory = "cluster-without-directory";

    /// <summary>No cluster is the config cluster.</summary>
    public const string ConfigClusterMissing = "config-cluster-missing";

    /// <summary>More than one cluster is the config cluster.</summary>
    public const string ConfigClusterRepeated = "config-cluster-repeated";

    /// <summary>A custom metric is not named <c>gke.named_metrics.X</c>.</summary>
    public const string CustomMetricName = "custom-metric-name";

    /// <summary>A custom metric has a field <c>value</c>.</summary>
    public const string CustomMetricValue = "custom-metric-value";

    /// <summary>The manifest directory holds no manifests.</summary>
    public const string DirectoryEmpty = "directory-empty";

    /// <summary>The manifest directory does not exist.</summary>
    public const string DirectoryMissing = "directory-missing";

    /// <summary>A key stands twice in one object.</summary>
    public const string DuplicateKey = "duplicate-key";

    /// <summary>A value stands twice where each may stand once.</summary>
    public const string DuplicateValue = "duplicate-value";

    /// <summary>A scope sets nothing.</summary>
    public const string EmptyScope = "empty-scope";

    /// <summary>A text is empty.</summary>
    public const string EmptyValue = "empty-value";

    /// <summary>Two pods have one address and port.</summary>
    public const string EndpointRepeated = "endpoint-repeated";

    /// <summary>A pod belongs to two imports.</summary>
    public const string EndpointShared = "endpoint-shared";

    /// <summary>Two gauges have one export name.</summary>
    public const string ExportNameRepeated = "export-name-repeated";

    /// <summary>A manifest stands outside the clusters' directories.</summary>
    public const string FileOutsideCluster = "file-outside-cluster";

    /// <summary>Filters of a route exclude each other.</summary>
    public const string FilterConflict = "filter-conflict";

    /// <summary>A gateway has a class other than the mesh's.</summary>
    public const string GatewayClass = "gateway-class";

    /// <summary>A health check's block does not belong to its type.</summary>
    public const string HealthCheckMismatch = "health-check-mismatch";

    /// <summary>An import is written, though imports are computed.</summary>
    public const string ImportComputed = "import-computed";

    /// <summary>A label's key or value is not valid.</summary>
    public const string InvalidLabel = "invalid-label";

    /// <summary>A name is not valid in Kubernetes.</summary>
    public const string InvalidName = "invalid-name";

    /// <summary>An object of a kind that the mesh does not read.</summary>
    public const string KindSkipped = "kind-skipped";

    /// <summary>Late binding is set where nothing binds late.</summary>
    public const string LateBindingUnused = "late-binding-unused";

    /// <summary>Two listeners claim one port.</summary>
    public const string ListenerConflict = "listener-conflict";

    /// <summary>A route names a listener that the gateway does not have.</summary>
    public const string ListenerUnresolved = "listener-unresolved";

    /// <summary>A policy's metric is exported for no endpoint.</summary>
    public const string MetricNotExported = "metric-not-exported";

    /// <summary>A policy's metric is exported for autoscaling alone.</summary>
    public const string MetricNotForBalancing = "metric-not-for-balancing";

    /// <summary>An AutoscalingMetric selects no pods.</summary>
    public const string MetricWithoutPods = "metric-without-pods";

    /// <summary>An AutoscalingMetric mixes its two shapes.</summary>
    public const string MixedShapes = "mixed-shapes";

    /// <summary>Capacity fields of several modes without a mode.</summary>
    public const string ModeAmbiguous = "mode-ambiguous";

    /// <summary>A directory inside a cluster's directory holds manifests.</summary>
    public const string NestedDirectory = "nested-directory";

    /// <summary>A field names something that the mesh has no counterpart for.</summary>
    public const string NoCounterpart = "no-counterpart";

    /// <summary>A field is read, but has no effect yet.</summary>
    public const string NoEffectYet = "no-effect-yet";

    /// <summary>A document is no Kubernetes object.</summary>
    public const string NotAnObject = "not-an-object";

    /// <summary>An object has no effect outside the config cluster.</summary>
    public const string NotConfigCluster = "not-config-cluster";

    /// <summary>A field cannot stand in a scope.</summary>
    public const string NotInScope = "not-in-scope";

    /// <summary>Points or times that must rise do not.</summary>
    public const string NotRising = "not-rising";

    /// <summary>Two objects of one cluster have the same kind, namespace and name.</summary>
    public const string ObjectRepeated = "object-repeated";

    /// <summary>Clusters define one objective with different priorities.</summary>
    public const string ObjectivesDiffer = "objectives-differ";

    /// <summary>A number, count or length is out of its range.</summary>
    public const string OutOfRange = "out-of-range";

    /// <summary>A route attaches to a gateway that does not exist.</summary>
    public const string ParentUnresolved = "parent-unresolved";

    /// <summary>The mesh's own endpoint picker replaces another.</summary>
    public const string PickerReplaced = "picker-replaced";

    /// <summary>A pod of a pool has no address yet.</summary>
    public const string PodWithoutAddress = "pod-without-address";

    /// <summary>An older policy already holds for the target.</summary>
    public const string PolicyConflict = "policy-conflict";

    /// <summary>A pool stays private to its cluster.</summary>
    public const string PoolNotExported = "pool-not-exported";

    /// <summary>A poolRef names no pool.</summary>
    public const string PoolUnresolved = "pool-unresolved";

    /// <summary>A pool selects nothing.</summary>
    public const string PoolWithoutEndpoints = "pool-without-endpoints";

    /// <summary>A named port has no number, or several.</summary>
    public const string PortNameUnresolved = "port-name-unresolved";

    /// <summary>Two ports of a server, each raised by its rank, are the same for some ranks.</summary>
    public const string PortOverlap = "port-overlap";

    /// <summary>Clusters contradict each other in where the gateway of a region is, or an address is none.</summary>
    public const string PeerGateway = "peer-gateway";

    /// <summary>A port field contradicts portSpecification.</summary>
    public const string PortSpecificationMismatch = "port-specification-mismatch";

    /// <summary>A prefix is replaced where a match has none.</summary>
    public const string PrefixEditWithoutPrefix = "prefix-edit-without-prefix";

    /// <summary>A cluster has no region.</summary>
    public const string RegionUnknown = "region-unknown";

    /// <summary>A gateway address names a region without clusters.</summary>
    public const string RegionWithoutCluster = "region-without-cluster";

    /// <summary>A required field is missing.</summary>
    public const string RequiredField = "required-field";

    /// <summary>An older rule already rewrites the model.</summary>
    public const string RewriteShadowed = "rewrite-shadowed";

    /// <summary>No host of a route is among its gateway's.</summary>
    public const string RouteHostMismatch = "route-host-mismatch";

    /// <summary>A gateway lets no route of this namespace attach.</summary>
    public const string RouteNotAllowed = "route-not-allowed";

    /// <summary>A route attaches to no gateway.</summary>
    public const string RouteWithoutParent = "route-without-parent";

    /// <summary>A rule of a profile, or a field of it, has no effect beside the others.</summary>
    public const string RuleUnused = "rule-unused";

    /// <summary>A rule sends nowhere.</summary>
    public const string RuleWithoutBackend = "rule-without-backend";

    /// <summary>A field stands in default and in a scope.</summary>
    public const string ScopeFieldConflict = "scope-field-conflict";

    /// <summary>A scope matches no backend.</summary>
    public const string ScopeMatchesNothing = "scope-matches-nothing";

    /// <summary>Earlier scopes take all that a scope matches.</summary>
    public const string ScopeShadowed = "scope-shadowed";

    /// <summary>An EndpointSlice lacks a target port.</summary>
    public const string SlicePortMissing = "slice-port-missing";

    /// <summary>dryRun stands beside the balancing mode.</summary>
    public const string StrayDryRun = "stray-dry-run";

    /// <summary>A target has no group.</summary>
    public const string TargetGroupDefaulted = "target-group-defaulted";

    /// <summary>A policy is attached to something that is no pool.</summary>
    public const string TargetKind = "target-kind";

    /// <summary>A policy is attached to a pool that does not exist.</summary>
    public const string TargetUnresolved = "target-unresolved";

    /// <summary>A probe's time-out is above its interval.</summary>
    public const string TimeoutAboveInterval = "timeout-above-interval";

    /// <summary>A probe's default time-out is lowered to its interval.</summary>
    public const string TimeoutClamped = "timeout-clamped";

    /// <summary>An attempt's time-out is above the request's.</summary>
    public const string TimeoutOrder = "timeout-order";

    /// <summary>The traffic duration does not fit the balancing mode.</summary>
    public const string TrafficDurationMismatch = "traffic-duration-mismatch";

    /// <summary>A field that the kind does not have.</summary>
    public const string UnknownField = "unknown-field";

    /// <summary>A misspelt kind.</summary>
    public const string UnknownKind = "unknown-kind";

    /// <summary>A word that is none of the allowed ones.</summary>
    public const string UnknownValue = "unknown-value";

    /// <summary>A file or directory cannot be read.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Something valid that the mesh does not support.</summary>
    public const string Unsupported = "unsupported";

    /// <summary>A known kind of an apiVersion that is not read.</summary>
    public const string UnsupportedVersion = "unsupported-version";

    /// <summary>Mode UTILIZATION, which the vendor has for virtual machines only.</summary>
    public const string UtilizationMode = "utilization-mode";

    /// <summary>A request may wait longer than its time-out lets it live.</summary>
    public const string WaitAboveTimeout = "wait-above-timeout";

    /// <summary>Some targets have a weight and some have none.</summary>
    public const string WeightsPartial = "weights-partial";

    /// <summary>A text has not the form that it needs.</summary>
    public const string WrongFormat = "wrong-format";

    /// <summary>A value has the wrong type.</summary>
    public const string WrongType = "wrong-type";

    /// <summary>The document is no valid YAML.</summary>
    public const string YamlSyntax = "yaml-syntax";

    /// <summary>A cluster has no zone though its endpoints need one.</summary>
    public const string ZoneUnknown = "zone-unknown";
}
