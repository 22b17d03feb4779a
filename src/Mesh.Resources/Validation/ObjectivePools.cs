using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>An objective's pool exists. Its priority holds even where it does not.</summary>
internal sealed class ObjectivePools : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var pools = world.Resources.Of<InferencePool>().ToList();
        foreach (var objective in world.Resources.Of<InferenceObjective>())
        {
            if (objective.Pool is not { } reference) continue;
            var own = pools.Where(p => p.Cluster == objective.Cluster && p.Namespace == objective.Namespace).ToList();
            if (reference is { Group: InferencePool.Group, Kind: "InferencePool" } && own.Exists(p => p.Name == reference.Name)) continue;
            var nearest = NearestName.Of(reference.Name, own.Select(p => p.Name))
                ?? own.Select(p => p.Name).FirstOrDefault(n => n.EndsWith(reference.Name, StringComparison.Ordinal));
            report.Warning(
                reference.At, DiagnosticCodes.PoolUnresolved, $"poolRef of InferenceObjective {objective.Header.FullName} names no {reference.Kind} of group {reference.Group} in namespace {objective.Namespace} of {objective.Cluster}: its priority holds all the same",
                nearest is null ? null : $"did you mean {nearest}?");
        }
    }
}
