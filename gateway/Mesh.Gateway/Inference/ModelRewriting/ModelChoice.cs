using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.HttpRouting;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.ModelRewriting;

/// <summary>The model that a pool's InferenceModelRewrites send instead of the one that the client named.</summary>
internal static class ModelChoice
{
    /// <summary>The model to send; null when no rule is for the one that was asked for. The rules stand in order of precedence.</summary>
    public static string? Find(ImmutableArray<ModelRewriteConfig> rules, string model, RequestDraw draw)
    {
        foreach (var rule in rules)
        {
            if (rule.Model is null || rule.Model == model) return Choose(rule.Targets, draw);
        }

        return null;
    }

    /// <summary>The value of a model in JSON, with its quotes.</summary>
    public static byte[] Json(string model) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(model)}\"");

    /// <summary>The value of a model as it stands in a body: in JSON with its quotes, in a form without.</summary>
    public static byte[] Encode(string model, in BodyFacts facts) => facts.IsForm ? Encoding.UTF8.GetBytes(model) : Json(model);

    private static string Choose(ImmutableArray<ModelTarget> targets, RequestDraw draw)
    {
        if (targets.Length == 1) return targets[0].Model;
        var total = 0L;
        foreach (var target in targets) total += target.Weight;
        var point = (long)Math.BigMul(draw.Next(), (ulong)total, out _);
        foreach (var target in targets)
        {
            point -= target.Weight;
            if (point < 0) return target.Model;
        }

        return targets[^1].Model;
    }
}
