using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>Takes the candidates in turn, by their slots: the next one after the last that was taken. Keeps its place, so each pool needs its own.</summary>
internal sealed class RoundRobinPicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "round-robin", "one after the other", _ => new RoundRobinPicker(), usesScores: false, aliases: []);

    private int _lastSlot = -1;

    public string Name => "round-robin";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var (next, first) = (-1, 0);
        for (var i = 0; i < candidates.Length; i++)
        {
            var slot = candidates[i].Slot;
            if (slot < candidates[first].Slot) first = i;
            if (slot > _lastSlot && (next < 0 || slot < candidates[next].Slot)) next = i;
        }

        var taken = next < 0 ? first : next;
        _lastSlot = candidates[taken].Slot;
        return taken;
    }
}
