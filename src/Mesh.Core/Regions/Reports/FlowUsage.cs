using Mesh.Core.Routing;

namespace Mesh.Core.Regions.Reports;

/// <summary>What one flow gets in a region: a fairness id within a priority.</summary>
/// <param name="Flow">Hash of both: see <see cref="Of(int, string?)"/>.</param>
/// <param name="PerSecond">Requests of it placed there per second, over about the last second.</param>
public readonly record struct FlowUsage(uint Flow, float PerSecond)
{
    /// <summary>The hash that regions know a flow by: FNV-1a of the priority and the id's UTF-16 units. Ids themselves stay at home.</summary>
    public static uint Of(int priority, string? fairnessId)
    {
        var hash = (2166136261u ^ unchecked((uint)priority)) * 16777619u;
        foreach (var unit in fairnessId ?? "") hash = (hash ^ unit) * 16777619u;
        return hash;
    }

    internal static uint Of(in RouteRequest request) => Of(request.Priority, request.FairnessId);
}
