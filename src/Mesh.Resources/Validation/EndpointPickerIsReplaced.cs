using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A pool's own endpoint picker is not asked.</summary>
internal sealed class EndpointPickerIsReplaced : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var pool in world.Resources.Of<InferencePool>())
        {
            if (pool.EndpointPickerAt is { } at)
                report.Info(at, DiagnosticCodes.PickerReplaced, "endpointPickerRef is not used: the mesh picks the endpoints itself");
        }
    }
}
