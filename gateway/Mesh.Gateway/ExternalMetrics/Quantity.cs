using System.Globalization;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>Kubernetes quantities: whole numbers as they are, others in thousandths with the suffix m.</summary>
internal static class Quantity
{
    // Beyond this a thousandth is below the precision of the number itself.
    private const double Largest = 9e15;

    /// <summary>Text of a value, 0 and up; <c>0.25</c> is <c>250m</c>.</summary>
    public static string Of(double value)
    {
        if (value >= Largest) return Math.Round(Math.Min(value, 9e18)).ToString("F0", CultureInfo.InvariantCulture);
        var thousandths = (long)Math.Round(value * 1000, MidpointRounding.AwayFromZero);
        return thousandths % 1000 == 0
            ? (thousandths / 1000).ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{thousandths}m");
    }
}
