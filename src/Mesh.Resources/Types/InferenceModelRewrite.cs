using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Rules that send another model name than the requested one, split by weight.</summary>
internal sealed record InferenceModelRewrite(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } =
        new("InferenceModelRewrite", ["inference.networking.x-k8s.io/v1alpha2", "llm-d.ai/v1alpha2"], Read);

    public LocalRef? Pool { get; private init; }

    public ImmutableArray<RewriteRule> Rules { get; private init; } = [];

    private static InferenceModelRewrite Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => new InferenceModelRewrite(header)
        {
            Pool = spec.Object("poolRef", r => LocalRef.Read(r, InferencePool.Group, "InferencePool"), required: true),
            Rules = spec.List("rules", Rule, min: 1, required: true),
        }, required: true) ?? new InferenceModelRewrite(header);

    private static RewriteRule Rule(ObjectReader r)
    {
        var models = r.List("matches", m => m.Object("model", model =>
        {
            model.Choice("type", [("Exact", true)]);
            return model.String("value", required: true);
        }, required: true));
        var targets = r.List("targets", Target, min: 1, required: true);
        var weighted = targets.Count(t => t.Weight is not null);
        if (weighted > 0 && weighted < targets.Length)
        {
            var bare = targets.First(t => t.Weight is null);
            r.Report.Error(
                bare.Model.At, DiagnosticCodes.WeightsPartial, $"{r.At.Path}: some targets have a weight and {bare.Model.Value} has none",
                "give every target a weight, or none");
        }

        return new RewriteRule(models, targets, r.At);
    }

    private static RewriteTarget? Target(ObjectReader t)
    {
        var weight = t.Int("weight", 1, 1_000_000);
        return t.String("modelRewrite", required: true) is { } model ? new RewriteTarget(model, weight?.Value) : null;
    }
}

/// <summary>One rule; no models means every model.</summary>
internal sealed record RewriteRule(ImmutableArray<Located<string>> Models, ImmutableArray<RewriteTarget> Targets, Spot At);

/// <summary>One model to send instead.</summary>
internal sealed record RewriteTarget(Located<string> Model, int? Weight);
