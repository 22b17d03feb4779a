using System.Globalization;
using System.Text.RegularExpressions;

namespace Mesh.Resources.Reading;

/// <summary>Durations of Gateway API: up to four parts of up to five digits with a unit of h, m, s or ms each.</summary>
internal static partial class GatewayDuration
{
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (!Whole().IsMatch(text)) return false;
        foreach (Match part in Part().Matches(text))
        {
            var number = int.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            value += part.Groups[2].Value switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMilliseconds(number),
            };
        }

        return true;
    }

    [GeneratedRegex(@"\A([0-9]{1,5}(h|ms|m|s)){1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    [GeneratedRegex("([0-9]{1,5})(h|ms|m|s)", RegexOptions.CultureInvariant)]
    private static partial Regex Part();
}
