using System.Globalization;

namespace Mesh.Resources.Reading;

/// <summary>How plain scalars are told apart: YAML 1.2's core schema, which Kubernetes manifests use.</summary>
internal static class ScalarText
{
    public static bool IsBoolean(string text) => text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE";

    public static bool IsTrue(string text) => text is "true" or "True" or "TRUE";

    public static bool IsNumber(string text) => TryNumber(text, out _);

    public static bool TryInteger(string text, out long value)
    {
        if (text.StartsWith("0x", StringComparison.Ordinal))
            return long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)) return true;

        // 1e3 and 40.0 are whole numbers too.
        if (TryNumber(text, out var number) && Math.Abs(number) < 1e15 && number == Math.Floor(number))
        {
            value = (long)number;
            return true;
        }

        return false;
    }

    public static bool TryNumber(string text, out double value)
    {
        value = 0;
        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return text.Length > 0 && (char.IsAsciiDigit(text[^1]) || text[^1] == '.')
            && double.TryParse(text, Styles, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }
}
