using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>
/// The rewrite rules of a pool in order of precedence: those for a model's exact name before those for every model, and among
/// equals the oldest object's, then the first in its list. A rule that an earlier one makes unreachable is left out.
/// </summary>
internal static class ModelRewriteCompiler
{
    public static ImmutableArray<ModelRewriteConfig> Compile(World world, PoolDraft pool) =>
        [.. Rules(world, pool).Where(r => r.Winner is null).Select(r => r.Config)];

    /// <summary>Every rule of the pool; for one that has no effect, the object whose rule stands before it.</summary>
    public static List<(ModelRewriteConfig Config, InferenceModelRewrite Object, RewriteRule Rule, InferenceModelRewrite? Winner)> Rules(
        World world, PoolDraft pool)
    {
        var rules = new List<(ModelRewriteConfig, InferenceModelRewrite, RewriteRule, InferenceModelRewrite?)>();
        var taken = new Dictionary<string, InferenceModelRewrite>(StringComparer.Ordinal);
        foreach (var rewrite in Of(world, pool))
        {
            foreach (var rule in rewrite.Rules.Where(r => !r.Targets.IsEmpty))
            {
                foreach (var model in rule.Models.Select(m => (string?)m.Value).DefaultIfEmpty())
                {
                    // The empty name is no model's, so it can stand for every model.
                    var winner = taken.TryAdd(model ?? "", rewrite) ? null : taken[model ?? ""];
                    var targets = rule.Targets.Select(t => new ModelTarget(t.Model.Value, t.Weight ?? 1));
                    rules.Add((new ModelRewriteConfig(model, [.. targets], rewrite.Header.FullName), rewrite, rule, winner));
                }
            }
        }

        return [.. rules.OrderBy(r => r.Item1.Model is null)];
    }

    /// <summary>Objects that name the pool, each namespace and name once: an object is written to every cluster of its pool.</summary>
    public static IEnumerable<InferenceModelRewrite> Of(World world, PoolDraft pool) =>
        world.Resources.Of<InferenceModelRewrite>()
            .Where(r => pool.Members.Any(m => m.Cluster == r.Cluster && m.Namespace == r.Namespace && m.Name == r.Pool?.Name))
            .OrderByDescending(r => r.Cluster == world.ConfigCluster)
            .ThenBy(r => r.Cluster, StringComparer.Ordinal)
            .DistinctBy(r => r.Header.FullName)
            .OrderBy(r => r.Header, Age.Comparer);
}
