using System.CommandLine;
using Mesh.Cli.Load;
using Mesh.Simulation.Reports;

namespace Mesh.Cli.Replay;

/// <summary>Options that say what makes a request count as good.</summary>
internal sealed class SloOptions
{
    private readonly Option<string> _ttft = new("--slo-ttft") { Description = "Longest time to first token of a good request.", HelpName = "2s", DefaultValueFactory = _ => "2s" };
    private readonly Option<string> _tpot = new("--slo-tpot") { Description = "Longest mean time per token after the first of a good request.", HelpName = "50ms", DefaultValueFactory = _ => "50ms" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_ttft);
        command.Add(_tpot);
    }

    /// <summary>Reads both.</summary>
    /// <exception cref="ArgumentException">One of them is no duration.</exception>
    public SloTarget Read(ParseResult arguments) => new(Ms(arguments, _ttft), Ms(arguments, _tpot));

    private static double Ms(ParseResult arguments, Option<string> option)
    {
        var text = arguments.GetValue(option)!;
        if (Durations.TryParse(text, out var duration) && duration > TimeSpan.Zero) return duration.TotalMilliseconds;
        throw new ArgumentException($"{option.Name} {text}: a duration above 0 is expected, such as 2s or 50ms.");
    }
}
