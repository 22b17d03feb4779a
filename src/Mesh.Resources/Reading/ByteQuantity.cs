using System.Globalization;
using System.Text.RegularExpressions;

namespace Mesh.Resources.Reading;

/// <summary>
/// Kubernetes' quantities as numbers of bytes: 1048576, 512Mi, 1.5G, 1e9. A fraction of a byte is rounded up, as Kubernetes does.
/// </summary>
internal static partial class ByteQuantity
{
    /// <summary>
    /// False for another form, and for thousandths (<c>m</c>), which nobody means of bytes. Above the range the largest number is given.
    /// </summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        if (Form().Match(text) is not { Success: true } match) return false;
        var number = decimal.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var factor = Factor(match.Groups[2].Value);
        bytes = factor > long.MaxValue || number > long.MaxValue / factor ? long.MaxValue : (long)decimal.Ceiling(number * factor);
        return true;
    }

    /// <summary>As a person would write it: with the largest binary unit that divides it.</summary>
    public static string Text(long bytes)
    {
        if (bytes == 1) return "1 byte";
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        var unit = 0;
        while (bytes != 0 && bytes % 1024 == 0 && unit < units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes} {units[unit]}");
    }

    private static decimal Factor(string suffix) => suffix switch
    {
        "" => 1,
        "k" => 1e3m,
        "M" => 1e6m,
        "G" => 1e9m,
        "T" => 1e12m,
        "P" => 1e15m,
        "E" => 1e18m,
        "Ki" => 1L << 10,
        "Mi" => 1L << 20,
        "Gi" => 1L << 30,
        "Ti" => 1L << 40,
        "Pi" => 1L << 50,
        "Ei" => 1L << 60,
        _ => Power(int.Parse(suffix.AsSpan(1), CultureInfo.InvariantCulture)),
    };

    private static decimal Power(int exponent)
    {
        // From here on every number but 0 is above the range, and decimal ends.
        const int Highest = 28;
        var power = 1m;
        for (var i = 0; i < Math.Min(exponent, Highest); i++) power *= 10;
        return power;
    }

    [GeneratedRegex(@"\A([0-9]{1,18}(?:\.[0-9]{1,9})?)([kMGTPE]|[KMGTPE]i|[eE][0-9]{1,2}|)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
