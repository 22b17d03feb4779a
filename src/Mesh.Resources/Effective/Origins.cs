using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Effective;

/// <summary>Makes origins from places.</summary>
internal static class Origins
{
    /// <summary>The origin of a field of a backend policy: within its scope, or in its default.</summary>
    public static SettingOrigin Of(GcpBackendPolicy? policy, PolicyScope? scope, Spot? at, OriginKind? kind)
    {
        if (policy is null || at is not { } place) return SettingOrigin.BuiltIn;
        var inScope = scope is not null && place.Path.StartsWith(scope.At.Path, StringComparison.Ordinal);
        return new SettingOrigin(
            kind ?? (inScope ? OriginKind.Scope : OriginKind.Policy), Title(policy),
            inScope ? scope!.Index : null, inScope ? scope!.SelectorText : null, place.File, place.Line);
    }

    /// <summary>The origin of a field of a policy without scopes.</summary>
    public static SettingOrigin Of(Resource? policy, Spot? at) =>
        policy is null || at is not { } place
            ? SettingOrigin.BuiltIn
            : new SettingOrigin(OriginKind.Policy, Title(policy), null, null, place.File, place.Line);

    public static string Title(Resource policy) => $"{policy.Header.Kind.Name} {policy.Header.FullName}";
}
