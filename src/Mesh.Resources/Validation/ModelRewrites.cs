using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A rewrite names a pool that exists, and its rules are not hidden behind older ones.</summary>
internal sealed class ModelRewrites : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var pools = world.Resources.Of<InferencePool>().ToList();
        foreach (var rewrite in world.Resources.Of<InferenceModelRewrite>())
        {
            if (rewrite.Pool is not { } reference) continue;
            var own = pools.Where(p => p.Cluster == rewrite.Cluster && p.Namespace == rewrite.Namespace).Select(p => p.Name).ToList();
            if (reference is { Group: InferencePool.Group, Kind: "InferencePool" } && own.Contains(reference.Name)) continue;
            report.Warning(
                reference.At, DiagnosticCodes.PoolUnresolved, $"poolRef of InferenceModelRewrite {rewrite.Header.FullName} names no {reference.Kind} of group {reference.Group} in namespace {rewrite.Namespace} of {rewrite.Cluster}: it has no effect",
                NearestName.Of(reference.Name, own) is { } nearest ? $"did you mean {nearest}?" : null);
        }

        foreach (var pool in world.Pools)
        {
            foreach (var (config, rewrite, rule, winner) in ModelRewriteCompiler.Rules(world, pool))
            {
                if (winner is null) continue;
                var model = config.Model is null ? "every model" : $"model {config.Model}";
                report.Warning(
                    rule.At, DiagnosticCodes.RewriteShadowed,
                    $"This rule for {model} has no effect: {winner.Header.FullName} ({winner.Header.NameAt}) already has one for {pool.Id}",
                    "the oldest rule of a model wins");
            }
        }
    }
}
