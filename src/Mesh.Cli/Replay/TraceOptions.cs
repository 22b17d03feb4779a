using System.CommandLine;
using Mesh.Cli.Load;
using Mesh.Cli.Output;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Replay;

/// <summary>Options that say what is played: a recorded trace or generated chats.</summary>
/// <param name="warmsUp">Whether generated chats have a warm-up where the command line names none.</param>
internal sealed class TraceOptions(bool warmsUp = false)
{
    private const string Sessions = "sessions";
    private const double MostMinutes = 3.5 * 24 * 60;

    // A trace that offers so much less than was asked for is told of.
    internal const double NotableShortfall = 0.97;

    private static readonly SessionOptions Generated = new();

    private readonly Option<string> _trace = new("--trace") { Description = "Mooncake JSONL or Azure CSV file, or 'sessions' for generated chats.", Required = true };
    private readonly Option<double?> _rate = new("--rate") { Description = "Requests per second. By default as fast as the trace was recorded." };
    private readonly Option<int> _skip = new("--skip") { Description = "Rows to leave out at the beginning." };
    private readonly Option<int> _rows = new("--rows") { Description = "Rows at most.", DefaultValueFactory = _ => int.MaxValue };
    private readonly Option<double> _minutes = new("--minutes") { Description = "Generated: length of the trace.", DefaultValueFactory = _ => Generated.Duration.TotalMinutes };
    private readonly Option<int> _systemPrompts = new("--system-prompts") { Description = "Generated: different system prompts.", DefaultValueFactory = _ => Generated.SystemPrompts };
    private readonly Option<int> _systemPromptTokens = new("--system-prompt-tokens") { Description = "Generated: tokens of each, in blocks of 512.", DefaultValueFactory = _ => Generated.SystemPromptTokens };
    private readonly Option<double> _turns = new("--turns") { Description = "Generated: mean turns of a session.", DefaultValueFactory = _ => Generated.MeanTurns };
    private readonly Option<double> _thinkSeconds = new("--think-s") { Description = "Generated: mean seconds between turns.", DefaultValueFactory = _ => Generated.MeanThinkTime.TotalSeconds };
    private readonly Option<double> _inputTokens = new("--input-tokens") { Description = "Generated: mean tokens that a turn adds.", DefaultValueFactory = _ => Generated.MeanInputTokens };
    private readonly Option<double> _outputTokens = new("--output-tokens") { Description = "Generated: mean tokens of an answer.", DefaultValueFactory = _ => Generated.MeanOutputTokens };
    private readonly Option<double> _burstiness = new("--burstiness") { Description = "Generated: 1 is Poisson; up to 2, which begins sessions in half of each minute only.", DefaultValueFactory = _ => Generated.Burstiness };

    private readonly Option<string?> _warmUp = new("--warm-up")
    {
        Description = warmsUp
            ? "Time that is played but not counted, such as 10m. Default: none on a recorded trace; generated chats play until about as many are live as there will be."
            : "Time that is played but not counted, such as 10m; generated chats are that much longer.",
        HelpName = "10m",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_trace, _rate, _skip, _rows, _warmUp, _minutes, _systemPrompts, _systemPromptTokens, _turns, _thinkSeconds, _inputTokens, _outputTokens, _burstiness])
            command.Add(option);
    }

    /// <summary>The rate that was asked for; null for the trace's own.</summary>
    /// <exception cref="ArgumentException">It is not above 0.</exception>
    public double? Rate(ParseResult arguments)
    {
        var rate = arguments.GetValue(_rate);
        if (rate is not null && !(rate is >= 1e-6 and <= 1e9)) throw new ArgumentException(ReplayText.Number($"--rate {rate}: a number of requests per second above 0 is expected."));
        return rate;
    }

    /// <summary>Reads or describes the trace.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="TraceFormatException">A line cannot be read.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public PlayedTrace Source(ParseResult arguments, ulong seed)
    {
        var file = arguments.GetValue(_trace)!;
        if (file != Sessions)
        {
            arguments.Refuse("on a recorded trace", _minutes, _systemPrompts, _systemPromptTokens, _turns, _thinkSeconds, _inputTokens, _outputTokens, _burstiness);
            InputProblems.CheckReadable(_trace.Name, file);
            var rows = TraceFile.Read(file, seed, arguments.InRange(_skip, 0, int.MaxValue), arguments.InRange(_rows, 1, int.MaxValue));
            return new PlayedTrace(new RecordedTrace(rows), _ => rows.Count) { WarmUp = WarmUp(arguments) ?? TimeSpan.Zero };
        }

        arguments.Refuse("on generated chats", _skip);
        var turns = arguments.InRange(_turns, 1, 1000);
        var thinkTime = TimeSpan.FromSeconds(arguments.InRange(_thinkSeconds, 0, 86_400));
        var given = WarmUp(arguments);
        // Until then all but 2% of the chats that will be live at a time have begun: their number nears its mean as exp(-t / (turns * think time)).
        var untilSteady = TimeSpan.FromMinutes(Math.Min(MostMinutes, 4 * turns * thinkTime.TotalMinutes));
        var warmUp = given ?? (warmsUp ? untilSteady : TimeSpan.Zero);
        var options = new SessionOptions
        {
            Seed = seed,
            Duration = warmUp + TimeSpan.FromMinutes(arguments.InRange(_minutes, 1 / 60.0, MostMinutes)),
            MostRequests = arguments.InRange(_rows, 1, int.MaxValue),
            RequestsPerSecond = Rate(arguments) ?? Generated.RequestsPerSecond,
            SystemPrompts = arguments.InRange(_systemPrompts, 1, 1_000_000),
            SystemPromptTokens = arguments.InRange(_systemPromptTokens, 0, Generated.MostTokens - 1024),
            MeanTurns = turns,
            MeanThinkTime = thinkTime,
            MeanInputTokens = arguments.InRange(_inputTokens, 8, 65_536),
            MeanOutputTokens = arguments.InRange(_outputTokens, 1, 8192),
            Burstiness = arguments.InRange(_burstiness, 1, 2),
        };
        return new PlayedTrace(new GeneratedSessions(options), rate => (long)Math.Min(options.MostRequests, rate * options.Duration.TotalSeconds))
        {
            WarmUp = warmUp,
            UntilSteady = untilSteady,
        };
    }

    /// <summary>What is played, for the head of a page.</summary>
    public string Title(ParseResult arguments, ulong seed)
    {
        var file = arguments.GetValue(_trace)!;
        var warmUp = arguments.GetValue(_warmUp) is { } time ? $", warm-up {time} not counted" : "";
        return ReplayText.Number($"Trace: {(file == Sessions ? "generated chats" : Path.GetFileName(file))}, seed {seed}{warmUp}.");
    }

    private TimeSpan? WarmUp(ParseResult arguments)
    {
        if (arguments.GetValue(_warmUp) is not { } text) return null;
        return Durations.TryParse(text, out var time) && time.TotalMinutes <= MostMinutes ? time : throw new ArgumentException($"{_warmUp.Name} {text}: a duration of 0 to 7 days is expected, such as 10m.");
    }
}

/// <summary>A trace and about how many requests it has at a rate, for showing progress.</summary>
internal sealed record PlayedTrace(ITraceSource Source, Func<double, long> ExpectedAt)
{
    /// <summary>Time from the first request on that is played but not counted.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>Time until the trace's rate is steady.</summary>
    public TimeSpan UntilSteady { get; init; }

    /// <summary>What to know when so many requests per second came instead of those that were asked for; null when they are about the same.</summary>
    public string? Shortfall(double asked, double offered) => UntilSteady <= WarmUp || offered >= TraceOptions.NotableShortfall * asked
        ? null
        : ReplayText.Number($"{offered:0.0} of {asked:0.##} requests/s came on average: generated chats begin with none live and take {Math.Ceiling(UntilSteady.TotalMinutes):0} min to reach their rate; --warm-up {Math.Ceiling(UntilSteady.TotalMinutes):0}m leaves that out");
}
