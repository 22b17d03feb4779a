using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;

namespace Mesh.Cli.Replay;

/// <summary>Options that say how fast a trace is played, and the rates that they come to: its own, one that is named, or shares of what the fleet can take.</summary>
/// <param name="trace">Has the option of a single rate.</param>
internal sealed class ReplayRates(TraceOptions trace)
{
    private const string SaturationRouter = "least-request";

    // Of a trace of so many requests, a part says where its saturation is to be looked for.
    private const long LongTrace = 10_000;
    private const double RoughShare = 0.2;
    private const double MostShare = 100;

    private readonly Option<string[]> _loads = new("--load") { Description = "Shares of the highest rate that least-request serves with a stable queue, separated by commas, instead of --rate.", HelpName = "0.7,0.95", AllowMultipleArgumentsPerToken = true };
    private readonly Option<double?> _saturation = new("--saturation") { Description = "The rate that --load counts from, when it is known: saves the search." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_loads);
        command.Add(_saturation);
    }

    /// <summary>Checks what needs no trace; null when no shares are given.</summary>
    /// <exception cref="ArgumentException">A share or rate is none, or they exclude each other.</exception>
    public IReadOnlyList<(string Text, double Share)>? Shares(ParseResult arguments)
    {
        if (arguments.GetValue(_saturation) is { } known && !(known > 0 && double.IsFinite(known))) throw new ArgumentException(ReplayText.Number($"--saturation {known}: a number of requests per second above 0 is expected."));
        var loads = Words.Split(arguments.GetValue(_loads));
        if (loads.Count == 0)
        {
            arguments.Refuse("without --load", _saturation);
            return null;
        }

        if (trace.Rate(arguments) is not null) throw new ArgumentException("--rate and --load exclude each other.");
        return loads.ConvertAll(load => double.TryParse(load, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share > 0 && share <= MostShare
            ? (load, share)
            : throw new ArgumentException($"--load {load}: a share above 0 is expected, such as 0.95."));
    }

    /// <summary>Whether the highest rate is still to be found.</summary>
    public bool SearchesSaturation(ParseResult arguments) => Shares(arguments) is not null && arguments.GetValue(_saturation) is null;

    /// <summary>Every load with its rate, in requests per second. The search for saturation, where there is one, is played here.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="world">What the search is played on.</param>
    /// <param name="played">The trace.</param>
    /// <param name="slo">What makes a request count as good.</param>
    /// <param name="begin">As <see cref="ReplayProgress.Show"/> gives it.</param>
    /// <param name="console">Is told the saturation where no progress is shown.</param>
    /// <param name="cancellationToken">Ends the search with an exception.</param>
    /// <exception cref="ArgumentException">A share or rate is none, they exclude each other, or nothing saturates the fleet.</exception>
    public List<(string Load, double Rate)> Of(
        ParseResult arguments, IReplayWorld world, PlayedTrace played, SloTarget slo, Func<string, long, Action<int>> begin, ToolConsole console, CancellationToken cancellationToken)
    {
        if (Shares(arguments) is not { } shares)
        {
            var rate = trace.Rate(arguments) ?? played.Source.NativeRate;
            return [(ReplayText.Number($"{rate:0.##}/s"), rate)];
        }

        var saturation = arguments.GetValue(_saturation) ?? Find(world, played, slo, begin, cancellationToken);
        if (console.Progress is null) console.Error.WriteLine(ReplayText.Number($"saturation {saturation:0.000} requests/s"));
        return [.. shares.Select(s => (s.Text, s.Share * saturation))];
    }

    private static double Find(IReplayWorld world, PlayedTrace played, SloTarget slo, Func<string, long, Action<int>> begin, CancellationToken cancellationToken)
    {
        var isLong = played.ExpectedAt(played.Source.NativeRate) > LongTrace;
        return Saturation.Find(played.Source.NativeRate, rate => GrowthAt(rate, 1), isLong ? rate => GrowthAt(rate, RoughShare) : null);

        double GrowthAt(double rate, double share)
        {
            var rows = played.ExpectedAt(rate);
            var endMs = share < 1 ? 1000 * share * rows / rate : double.PositiveInfinity;
            var run = new ReplayRun(SaturationRouter, "", slo, begin(ReplayText.Number($"searching saturation at {rate:0.##}/s"), (long)(share * rows)));
            var (_, tracker) = world.Play(run, played.Source.At(rate).TakeWhile(r => r.ArrivalMs < endMs), cancellationToken);
            return Saturation.Growth(tracker.FirstTokens, tracker.LastArrivalMs);
        }
    }
}
