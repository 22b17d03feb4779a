using System.Collections.Immutable;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Status;

/// <summary>Computes the conditions of every object from what the rules found.</summary>
internal static class StatusBuilder
{
    public static ImmutableArray<ResourceStatus> Build(World world, DiagnosticBag report)
    {
        var findings = report.Sorted().ToLookup(d => (d.File, d.Document));
        var written = world.Resources.All
            .Where(r => r is not (Pod or EndpointSlice or GcpInferencePoolImport))
            .Select(r => Of(r, world, [.. findings[(r.At.File, r.At.Document)].Where(d => IsUnder(d.Path, r.At.Path))]));
        var computed = world.Pools.Where(p => p.LocalToCluster is null).Select(p => Import(p, world));
        return
        [
            .. written.Concat(computed)
                .OrderBy(s => s.Cluster, StringComparer.Ordinal).ThenBy(s => s.Kind, StringComparer.Ordinal)
                .ThenBy(s => s.Namespace, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal),
        ];
    }

    private static ResourceStatus Of(Resource r, World world, ImmutableArray<Diagnostic> findings) => new()
    {
        Cluster = r.Cluster,
        ApiVersion = r.Header.ApiVersion,
        Kind = r.Header.Kind.Name,
        Namespace = r.Namespace,
        Name = r.Name,
        File = r.Header.NameAt.File,
        Line = r.Header.NameAt.Line,
        Conditions = Conditions(r, world, findings),
        Findings = findings,
    };

    private static ImmutableArray<Condition> Conditions(Resource r, World world, ImmutableArray<Diagnostic> findings) => r switch
    {
        Gateway gateway => [Accepted(findings), Programmed(findings, $"Listens in {string.Join(", ", Regions(gateway, world))}")],
        HttpRoute => [Accepted(findings, ConditionReasons.Parents), ResolvedRefs(findings)],
        GcpBackendPolicy or HealthCheckPolicy or GcpTrafficDistributionPolicy or FlowControlPolicy or KvEventsPolicy or SchedulingProfile => [Attached(findings)],
        InferencePool pool => [Accepted(findings), ResolvedRefs(findings), Exported(pool)],
        InferenceObjective or InferenceModelRewrite => [Accepted(findings), ResolvedRefs(findings)],
        AutoscalingMetric => [Accepted(findings), Programmed(findings, "Scraped from the pods it selects")],
        _ => [Accepted(findings)],
    };

    private static Condition Accepted(ImmutableArray<Diagnostic> findings, ImmutableDictionary<string, string>? refusals = null)
    {
        var refusal = ConditionReasons.First(findings, refusals ?? ConditionReasons.Outside)
            ?? ConditionReasons.First(findings, ConditionReasons.Outside);
        if (refusal is not null) return new Condition("Accepted", false, refusal.Value.Reason, refusal.Value.Finding.Message);
        return Invalid(findings) is { } error
            ? new Condition("Accepted", false, "Invalid", error.Message)
            : new Condition("Accepted", true, "Accepted", "");
    }

    private static Condition ResolvedRefs(ImmutableArray<Diagnostic> findings) =>
        ConditionReasons.First(findings, ConditionReasons.Refs) is { } refusal
        ? new Condition("ResolvedRefs", false, refusal.Reason, refusal.Finding.Message)
        : new Condition("ResolvedRefs", true, "ResolvedRefs", "");

    private static Condition Programmed(ImmutableArray<Diagnostic> findings, string message)
    {
        var accepted = Accepted(findings);
        if (!accepted.Status) return accepted with { Type = "Programmed" };
        return ConditionReasons.First(findings, ConditionReasons.Programming) is { } refusal
            ? new Condition("Programmed", false, refusal.Reason, refusal.Finding.Message)
            : new Condition("Programmed", true, "Programmed", message);
    }

    private static Condition Attached(ImmutableArray<Diagnostic> findings)
    {
        if (ConditionReasons.First(findings, ConditionReasons.Attachment) is { } refusal)
            return new Condition("Attached", false, refusal.Reason, refusal.Finding.Message);
        return Invalid(findings) is { } error
            ? new Condition("Attached", false, "Invalid", error.Message)
            : new Condition("Attached", true, "Attached", "");
    }

    private static Condition Exported(InferencePool pool) => Compiling.Export.IsExported(pool)
        ? new Condition("Exported", true, "Exported", "")
        : new Condition("Exported", false, "NotRequested", "No export annotation: the pool stays private to its cluster");

    private static ResourceStatus Import(PoolDraft pool, World world) => new()
    {
        Cluster = world.ConfigCluster ?? "",
        ApiVersion = GcpInferencePoolImport.Group + "/v1",
        Kind = GcpInferencePoolImport.KindName,
        Namespace = pool.Id.Namespace,
        Name = pool.Id.Name,
        Conditions = [new Condition("Accepted", true, "Accepted", $"Exported by {string.Join(", ", pool.Members.Select(m => m.Cluster))}")],
    };

    private static IEnumerable<string> Regions(Gateway gateway, World world)
    {
        var named = gateway.Addresses.Where(a => a.Region is not null).Select(a => a.Region!).Distinct().ToList();
        return named.Count > 0 ? named : world.Fleet.Values.Select(c => c.Region).Distinct().Order(StringComparer.Ordinal);
    }

    private static Diagnostic? Invalid(ImmutableArray<Diagnostic> findings) =>
        findings.FirstOrDefault(d => d.Severity == Severity.Error && !ConditionReasons.Refs.ContainsKey(d.Code));

    private static bool IsUnder(string path, string root) =>
        root.Length == 0 || path.StartsWith(root + ".", StringComparison.Ordinal) || path == root;
}
