using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>One rule of an InferenceModelRewrite. A pool's rules stand in order of precedence: exact names first, then those for every model.</summary>
/// <param name="Model">Requested model that the rule is for; null is every model.</param>
/// <param name="Targets">Models to send instead, with weights; at least one.</param>
/// <param name="Source"><c>namespace/name</c> of the object, for people.</param>
public sealed record ModelRewriteConfig(string? Model, ImmutableArray<ModelTarget> Targets, string Source);

/// <summary>One model to send instead.</summary>
/// <param name="Model">Name that the model server gets.</param>
/// <param name="Weight">Share among the rule's targets, at least 1.</param>
public sealed record ModelTarget(string Model, int Weight);
