using System.Globalization;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// A utilization to aim at, written as a fraction or as a percentage: <c>maxUtilization</c> is a percentage from 2 to 100, a fraction
/// below 1, and an error where it could be either; <c>maxUtilizationPercent</c> is always a percentage.
/// </summary>
internal static class UtilizationTarget
{
    /// <summary>What holds where a metric or mode names none.</summary>
    public const double Default = 0.8;

    /// <summary>The target from 0 to 1, or null where none is set or it is wrong.</summary>
    public static Located<double>? Read(ObjectReader r)
    {
        var plain = r.Number("maxUtilization", double.MinValue, double.MaxValue);
        var percent = r.Number("maxUtilizationPercent", 1, 100);
        var target = plain is null ? null : FromPlain(plain, r.Report);
        if (percent is null) return target;

        var fromPercent = percent with { Value = percent.Value / 100 };
        if (target is not null && Math.Abs(target.Value - fromPercent.Value) > 1e-9)
        {
            r.Report.Error(
                percent.At, DiagnosticCodes.AliasConflict,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"maxUtilizationPercent is {percent.Value}, but maxUtilization is {plain!.Value} in line {plain.At.Line}: they are the same field"),
                "keep one of them");
        }

        return fromPercent;
    }

    private static Located<double>? FromPlain(Located<double> plain, DiagnosticBag report)
    {
        var (value, at) = plain;
        if (value is > 0 and < 1) return plain;
        if (value is >= 2 and <= 100) return plain with { Value = value / 100 };
        var text = string.Create(CultureInfo.InvariantCulture, $"{at.Path} is {value}");
        if (value is >= 1 and < 2)
            report.Error(
                at, DiagnosticCodes.AmbiguousUtilization, $"{text}, which could be a fraction or a percentage",
                "write a percentage from 2 to 100, a fraction below 1, or maxUtilizationPercent");
        else
            report.Error(
                at, DiagnosticCodes.OutOfRange, $"{text}, out of the range",
                "write a percentage from 2 to 100 or a fraction between 0 and 1");
        return null;
    }
}
