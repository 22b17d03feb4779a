using System.Globalization;

namespace Mesh.Bench.CrossCheck;

/// <summary>What is played on both sides.</summary>
internal sealed record CrossCheckOptions
{
    /// <summary>Endpoints, 1–64.</summary>
    public int Endpoints { get; init; } = 4;

    /// <summary>Length of the trace in seconds, above 0.</summary>
    public double Seconds { get; init; } = 90;

    /// <summary>Requests per second on hardware of ratio 1, above 0.</summary>
    public double Rate { get; init; } = 10;

    /// <summary>How many times as long the hardware takes as the measured one; the rate is divided by it. On a busy machine more makes its noise count less.</summary>
    public double SlowDown { get; init; } = 1;

    /// <summary>Decides trace and choices.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Tokens of a system prompt, in blocks of 512.</summary>
    public int SystemPromptTokens { get; init; } = 1024;

    /// <summary>Mean tokens that a turn adds.</summary>
    public double InputTokens { get; init; } = 1500;

    /// <summary>Mean tokens of an answer.</summary>
    public double OutputTokens { get; init; } = 150;

    /// <summary>Largest difference of p50 and of p90 of the time to the first token that counts as agreement, as a share of the virtual figure.</summary>
    public double Tolerance { get; init; } = 0.1;

    /// <summary>Reads <c>--seconds 90 --rate 10 --endpoints 4 --slow-down 1 --seed 1 --tolerance 0.1</c>.</summary>
    /// <exception cref="ArgumentException">An option is unknown or has no number.</exception>
    public static CrossCheckOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new CrossCheckOptions();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !double.TryParse(args[i + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number > 0))
                throw new ArgumentException($"{args[i]} needs a number above 0.");
            options = args[i] switch
            {
                "--endpoints" => options with { Endpoints = (int)Math.Clamp(number, 1, 64) },
                "--seconds" => options with { Seconds = number },
                "--rate" => options with { Rate = number },
                "--slow-down" => options with { SlowDown = number },
                "--seed" => options with { Seed = (ulong)number },
                "--tolerance" => options with { Tolerance = number },
                _ => throw new ArgumentException($"cross-check knows no {args[i]}; it knows --endpoints, --seconds, --rate, --slow-down, --seed and --tolerance."),
            };
        }

        return options;
    }
}
