using System.Collections.Immutable;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>
/// Fields that are read and checked, but have no effect at run time yet: they are told of at every start, never taken in silence.
/// When a field gains its effect, its line is removed from the list; this is the only place.
/// </summary>
internal sealed class NoEffectYet : IRule
{
    /// <summary>Kind and field, with what finds the places where an object sets it.</summary>
    public static ImmutableArray<(string Kind, string Field, Func<Resource, IEnumerable<Spot>> Find)> Fields { get; } =
        [];

    public void Check(World world, DiagnosticBag report)
    {
        foreach (var resource in world.Resources.All.Where(world.Counts))
        {
            foreach (var (kind, field, find) in Fields)
            {
                foreach (var at in find(resource))
                    report.Warning(
                        at, DiagnosticCodes.NoEffectYet,
                        $"{field} of {kind} is read and checked, but has no effect yet");
            }
        }
    }
}
