namespace Mesh.Gateway.Admin.Views;

/// <summary>Numbers as people read them: what is not finite is not known, and digits that nobody looks at are not sent.</summary>
internal static class Rounded
{
    /// <summary>To three places; null for what is not finite.</summary>
    public static double? To3(double? value) => value is { } number && double.IsFinite(number) ? Math.Round(number, 3) : null;

    /// <summary>To three places; 0 for what is not finite.</summary>
    public static double Or0(double value) => double.IsFinite(value) ? Math.Round(value, 3) : 0;
}
