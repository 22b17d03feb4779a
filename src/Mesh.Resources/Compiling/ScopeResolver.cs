using System.Collections.Immutable;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Which scope of a policy holds for a backend: the first whose labels the backend all has.</summary>
internal static class ScopeResolver
{
    public static PolicyScope? Resolve(GcpBackendPolicy policy, ImmutableSortedDictionary<string, string> backendLabels) =>
        policy.Scopes.FirstOrDefault(s => Matches(s, backendLabels));

    public static bool Matches(PolicyScope scope, ImmutableSortedDictionary<string, string> backendLabels) =>
        scope.Selector is not null && KubernetesNames.Selects(scope.Selector.Value, backendLabels);

    /// <summary>True when every backend that the second selects is selected by the first, whatever the fleet.</summary>
    public static bool Covers(PolicyScope broader, PolicyScope narrower) =>
        broader.Selector is not null && narrower.Selector is not null
            && KubernetesNames.Selects(broader.Selector.Value, narrower.Selector.Value);

    /// <summary>The mode-and-capacity unit that holds: the scope's where it sets any part of it, else the default's.</summary>
    public static BackendFields Unit(GcpBackendPolicy policy, PolicyScope? scope) =>
        scope is not null && scope.Fields.Unit.Any() ? scope.Fields : policy.Default;
}
