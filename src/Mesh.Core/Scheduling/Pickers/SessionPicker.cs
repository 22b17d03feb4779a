using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>
/// Takes the same candidate for the same session: <c>argmax hash(session, endpoint)</c>, so that few sessions move when an endpoint comes or goes. The session is the
/// request's affinity key, else its fairness id; a request without either goes anywhere.
/// </summary>
internal sealed class SessionPicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "session", "argmax hash(session, endpoint)", _ => new SessionPicker(), usesScores: false, aliases: []);

    public string Name => "session";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var key = RendezvousHash.SessionOf(in context);
        if (key == 0) return random.NextInt32(candidates.Length);
        return RendezvousHash.Best(candidates, key);
    }
}
