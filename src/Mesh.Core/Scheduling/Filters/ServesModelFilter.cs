using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>Keeps the endpoints that list the model and those that have not told what they list: <c>models unknown ∨ model ∈ models</c>. A request without a model passes everywhere, so a model is unknown only when every candidate has told its models and none lists it.</summary>
internal sealed class ServesModelFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("serves-model", "models unknown ∨ model ∈ models", () => new ServesModelFilter());

    public string Name => "serves-model";

    public DecisionReason WhenEmpty => DecisionReason.UnknownModel;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (context.Request.Model is null) return candidates.Length;
        var model = context.Model;
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            if (!Serves(candidate.Models, model)) continue;
            // Writing a reference costs a barrier: not before somebody has been left out.
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }

    private static bool Serves(ModelName[]? listed, ModelName? model)
    {
        if (listed is null) return true;
        if (model is null) return false;
        foreach (var name in listed)
        {
            if (ReferenceEquals(name, model)) return true;
        }

        return false;
    }
}
