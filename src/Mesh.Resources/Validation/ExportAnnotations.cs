using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>The export annotations have a value that means something, and a pool that stays private is told of.</summary>
internal sealed class ExportAnnotations : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var pool in world.Resources.Of<InferencePool>())
        {
            var notes = pool.Header.Annotations;
            if (notes.TryGetValue(Export.VendorAnnotation, out var vendor) && !IsBoolean(vendor))
                report.Warning(
                    pool.Header.AnnotationsAt, DiagnosticCodes.AnnotationValue,
                    $"Annotation {Export.VendorAnnotation} is \"{vendor}\" and exports nothing", "write \"True\"");
            if (notes.TryGetValue(Export.UpstreamAnnotation, out var upstream) && upstream != Export.UpstreamValue)
                report.Warning(
                    pool.Header.AnnotationsAt, DiagnosticCodes.AnnotationValue,
                    $"Annotation {Export.UpstreamAnnotation} is \"{upstream}\" and exports nothing", $"write {Export.UpstreamValue}");
            if (!Export.IsExported(pool))
                report.Info(
                    pool.Header.NameAt, DiagnosticCodes.PoolNotExported,
                    $"InferencePool {pool.Header.FullName} of {pool.Cluster} is not exported and stays private to its cluster",
                    $"annotate it with {Export.VendorAnnotation}: \"True\" to share it");
        }
    }

    private static bool IsBoolean(string text) =>
        text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("false", StringComparison.OrdinalIgnoreCase);
}
