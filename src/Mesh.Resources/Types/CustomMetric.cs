using System.Text.RegularExpressions;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>One custom metric of a policy.</summary>
/// <param name="ExportName">Name after <c>gke.named_metrics.</c>.</param>
/// <param name="MaxUtilization">Target from 0 to 1; null where it is left to the default.</param>
/// <param name="DryRun">Measured, but not used.</param>
/// <param name="At">Place of the name.</param>
internal sealed partial record CustomMetric(string ExportName, Located<double>? MaxUtilization, bool DryRun, Spot At)
{
    public const string Prefix = "gke.named_metrics.";

    public static CustomMetric? Read(ObjectReader r)
    {
        var name = r.String("name", required: true);
        var dryRun = r.Bool("dryRun");
        var target = UtilizationTarget.Read(r);
        r.Ignore("value");
        r.Hide("value");
        if (r.Has("value"))
        {
            r.Report.Error(
                r.SpotOf("value"), DiagnosticCodes.CustomMetricValue, $"{r.At.Path} has no field value: a metric's target is its maximal utilization",
                "write maxUtilization: 80 for 80%");
        }

        if (name is null) return null;
        if (!name.Value.StartsWith(Prefix, StringComparison.Ordinal) || !ExportPattern().IsMatch(name.Value[Prefix.Length..]))
        {
            var bare = ExportPattern().IsMatch(name.Value);
            r.Report.Error(
                name.At, DiagnosticCodes.CustomMetricName, $"{name.Value} is no name of a custom metric",
                bare ? $"write {Prefix}{name.Value}" : $"write {Prefix} and the export name of an AutoscalingMetric");
            return null;
        }

        return new CustomMetric(name.Value[Prefix.Length..], target, dryRun?.Value ?? false, name.At);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([-_.:A-Za-z0-9]{0,61}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex ExportPattern();
}
