using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Settings for the backends whose cluster has all labels of the selector.</summary>
internal sealed record PolicyScope(Located<ImmutableSortedDictionary<string, string>>? Selector, BackendFields Fields, Spot At)
{
    private static readonly string[] _defaultOnly =
        ["timeoutSec", "connectionDraining", "sessionAffinity", "logging", "trafficDuration", "securityPolicy", "iap", "scopes"];

    /// <summary>Position in the policy's list, from 0.</summary>
    public int Index { get; init; }

    /// <summary>How messages name it: its place in the list and its selector.</summary>
    public string Title => $"scopes[{Index}] ({SelectorText})";

    public string SelectorText =>
        Selector is null or { Value.IsEmpty: true }
            ? "every cluster"
            : string.Join(", ", Selector.Value.Select(l => $"{l.Key}: {l.Value}"));

    public static PolicyScope Read(ObjectReader s)
    {
        foreach (var name in _defaultOnly)
        {
            s.Ignore(name);
            s.Hide(name);
            if (s.Has(name))
                s.Report.Error(
                    s.SpotOf(name), DiagnosticCodes.NotInScope, $"{name} holds for the whole pool and cannot stand in a scope",
                    "move it to spec.default");
        }

        var selector = s.Map("selector", required: true);
        if (selector is not null) KubernetesNames.CheckLabels(selector, s.Report);
        var fields = BackendFields.Read(s);
        if (!fields.Present.Any() && s.Report.FirstErrorUnder(s.At) is null)
            s.Report.Warning(
                s.At, DiagnosticCodes.EmptyScope, $"{s.At.Path} sets nothing, but keeps the backends it selects from all later scopes");
        return new PolicyScope(selector, fields, s.At);
    }
}
