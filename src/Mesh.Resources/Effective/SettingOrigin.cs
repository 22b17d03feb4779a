namespace Mesh.Resources.Effective;

/// <summary>Where a setting in effect was taken from.</summary>
/// <param name="Kind">Built in, a policy's default, one of its scopes, or derived from another setting.</param>
/// <param name="Policy"><c>Kind namespace/name</c> of the policy; null for what is built in.</param>
/// <param name="Scope">Index of the scope, from 0; null outside scopes.</param>
/// <param name="Selector">Selector of the scope, for example <c>env: prod</c>; null outside scopes.</param>
/// <param name="File">File of the field, relative to the manifest directory; null for what is built in.</param>
/// <param name="Line">Line of the field, from 1; 0 for what is built in.</param>
public sealed record SettingOrigin(
    OriginKind Kind, string? Policy = null, int? Scope = null, string? Selector = null, string? File = null, int Line = 0)
{
    /// <summary>What holds where nothing is written.</summary>
    public static SettingOrigin BuiltIn { get; } = new(OriginKind.BuiltIn);

    /// <summary>For example <c>GCPBackendPolicy default/my-policy scopes[1] (env: prod), gke-west/policy.yaml:14</c>.</summary>
    public override string ToString() => Kind switch
    {
        OriginKind.BuiltIn => "built-in default",
        OriginKind.Inferred => "implied by " + Place,
        _ => Place,
    };

    private string Place => Scope is null ? $"{Policy}, {File}:{Line}" : $"{Policy} scopes[{Scope}] ({Selector}), {File}:{Line}";
}

/// <summary>Kinds of <see cref="SettingOrigin"/>.</summary>
public enum OriginKind
{
    /// <summary>Nothing is written; the documented default holds.</summary>
    BuiltIn,

    /// <summary>Written in <c>spec.default</c> of a policy.</summary>
    Policy,

    /// <summary>Written in the policy's first scope that matches.</summary>
    Scope,

    /// <summary>Follows from another field, for example the mode from the only capacity field.</summary>
    Inferred,
}

/// <summary>One setting in effect.</summary>
/// <param name="Name">Field, for example <c>maxRatePerEndpoint</c>.</param>
/// <param name="Value">Value as a person would write it.</param>
/// <param name="Origin">Where it was taken from.</param>
public sealed record EffectiveSetting(string Name, string Value, SettingOrigin Origin);
