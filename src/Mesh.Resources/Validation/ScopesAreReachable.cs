using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A scope holds for at least one backend: its selector matches one, and no earlier scope takes all that it matches.</summary>
internal sealed class ScopesAreReachable : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<GcpBackendPolicy>())
        {
            if (policy.Target is null || PolicyAttachments.PoolOf(policy.Header, policy.Target) is not { } id || world.FindPool(id) is not { } pool)
                continue;
            foreach (var scope in policy.Scopes.Where(s => s.Selector is not null)) Check(policy, scope, pool, report);
        }
    }

    private static void Check(GcpBackendPolicy policy, PolicyScope scope, PoolDraft pool, DiagnosticBag report)
    {
        var earlier = policy.Scopes.Take(scope.Index).ToList();
        if (earlier.Find(e => ScopeResolver.Covers(e, scope)) is { } covering)
        {
            report.Warning(
                scope.At, DiagnosticCodes.ScopeShadowed,
                $"{scope.Title} never holds: {covering.Title} in line {covering.At.Line} matches every backend that it matches, and comes first",
                "put the more specific scope first");
            return;
        }

        var matched = pool.Backends.Where(b => ScopeResolver.Matches(scope, b.Labels)).ToList();
        if (matched.Count == 0)
        {
            if (!pool.Backends.IsEmpty)
                report.Warning(
                    scope.Selector!.At, DiagnosticCodes.ScopeMatchesNothing, $"{scope.Title} matches no backend of {pool.Id}",
                    "compare the selector with the labels of the ClusterProfiles");
            return;
        }

        var taking = matched.Select(b => earlier.Find(e => ScopeResolver.Matches(e, b.Labels))).ToList();
        if (taking.Contains(null)) return;
        var come = taking.Distinct().Count() == 1 ? "comes first and takes" : "come first and take";
        var names = string.Join(" and ", taking.Distinct().OrderBy(t => t!.Index).Select(t => $"{t!.Title} in line {t.At.Line}"));
        var backends = string.Join(", ", matched.Select(b => b.Id.ToString()));
        report.Warning(
            scope.At, DiagnosticCodes.ScopeShadowed, $"{scope.Title} holds for no backend: {names} {come} all that it matches ({backends})",
            "put the more specific scope first");
    }
}
