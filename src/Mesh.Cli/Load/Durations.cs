using System.Globalization;

namespace Mesh.Cli.Load;

/// <summary>Durations of a command line: a number with <c>us</c>, <c>ms</c>, <c>s</c>, <c>m</c> or <c>h</c>; without a unit, seconds.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Seconds)[] Units = [("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)];

    /// <summary>Reads a duration of 0–7 days.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var (unit, seconds) = Array.Find(Units, u => text.EndsWith(u.Unit, StringComparison.Ordinal));
        var number = unit is null ? text : text[..^unit.Length];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return false;
        value *= unit is null ? 1 : seconds;
        if (!(value <= 7 * 86400)) return false;
        duration = TimeSpan.FromTicks((long)(value * TimeSpan.TicksPerSecond));
        return true;
    }

    /// <summary>For example <c>850 µs</c>, <c>12.3 ms</c>, <c>4.56 s</c>.</summary>
    public static string Text(double us) => us switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{us:0} µs"),
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{us / 1000:0.00} ms"),
        < 100_000 => string.Create(CultureInfo.InvariantCulture, $"{us / 1000:0.0} ms"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{us / 1000:0} ms"),
        < 100_000_000 => string.Create(CultureInfo.InvariantCulture, $"{us / 1_000_000:0.00} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{us / 1_000_000:0} s"),
    };
}
