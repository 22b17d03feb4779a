using System.CommandLine;
using System.Globalization;

namespace Mesh.Cli.Output;

/// <summary>Values of options: whether they were given, and whether they are in their ranges.</summary>
internal static class OptionValues
{
    /// <summary>Whether the command line names the option, as against its default.</summary>
    public static bool IsGiven(this ParseResult arguments, Option option) => arguments.GetResult(option) is { Implicit: false };

    /// <summary>Refuses options that would have no effect: whoever gives one expects it to have.</summary>
    /// <exception cref="ArgumentException">One of them was given; the message names it.</exception>
    public static void Refuse(this ParseResult arguments, string why, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            if (arguments.IsGiven(option)) throw new ArgumentException($"{option.Name} has no effect {why}: leave it out.");
        }
    }

    /// <summary>A value within its range.</summary>
    /// <exception cref="ArgumentException">It is out of it; the message names option, value and range.</exception>
    public static double InRange(this ParseResult arguments, Option<double> option, double least, double most) => Check(arguments.GetValue(option), least, most, option.Name);

    /// <inheritdoc cref="InRange(ParseResult, Option{double}, double, double)"/>
    public static int InRange(this ParseResult arguments, Option<int> option, int least, int most) => (int)Check(arguments.GetValue(option), least, most, option.Name);

    private static double Check(double value, double least, double most, string name) => value >= least && value <= most
        ? value
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {least:0.######}–{most:0.######} is expected."));
}
