using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Validation;

/// <summary>An objective that several clusters define has one priority.</summary>
internal sealed class ObjectivesAgree : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var group in ObjectiveCompiler.InOrder(world).GroupBy(o => o.Header.FullName))
        {
            var first = group.First();
            foreach (var other in group.Skip(1).Where(o => o.Priority != first.Priority && report.FirstErrorUnder(o.At) is null))
                report.Warning(
                    other.Header.NameAt, DiagnosticCodes.ObjectivesDiffer,
                    $"InferenceObjective {group.Key} has priority {other.Priority} in {other.Cluster} and {first.Priority} in {first.Cluster} ({first.Header.NameAt}), which holds",
                    "write the same in every cluster");
        }
    }
}
