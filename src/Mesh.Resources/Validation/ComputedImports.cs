using Mesh.Core.Config;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Imports are computed; one that is written changes nothing.</summary>
internal sealed class ComputedImports : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var import in world.Resources.Of<GcpInferencePoolImport>())
        {
            var exists = world.FindPool(new PoolId(import.Namespace, import.Name)) is not null;
            report.Info(
                import.Header.NameAt, DiagnosticCodes.ImportComputed,
                $"Imports are computed from exported pools; this one {(exists ? "changes nothing" : "has no effect, as no cluster exports such a pool")}");
        }
    }
}
