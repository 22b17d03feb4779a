using System.CommandLine;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Replay;

/// <summary>Options that say what is played: a recorded trace or generated chats.</summary>
internal sealed class TraceOptions
{
    private const string Sessions = "sessions";

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

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_trace, _rate, _skip, _rows, _minutes, _systemPrompts, _systemPromptTokens, _turns, _thinkSeconds, _inputTokens, _outputTokens, _burstiness])
            command.Add(option);
    }

    /// <summary>The rate that was asked for; null for the trace's own.</summary>
    /// <exception cref="ArgumentException">It is not above 0.</exception>
    public double? Rate(ParseResult arguments)
    {
        var rate = arguments.GetValue(_rate);
        if (rate is not null && !(rate > 0 && double.IsFinite(rate.Value))) throw new ArgumentException("--rate must be above 0.");
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
            var rows = TraceFile.Read(file, seed, arguments.GetValue(_skip), arguments.GetValue(_rows));
            return new PlayedTrace(new RecordedTrace(rows), _ => rows.Count);
        }

        var options = new SessionOptions
        {
            Seed = seed,
            Duration = TimeSpan.FromMinutes(arguments.GetValue(_minutes)),
            MostRequests = arguments.GetValue(_rows),
            RequestsPerSecond = Rate(arguments) ?? Generated.RequestsPerSecond,
            SystemPrompts = arguments.GetValue(_systemPrompts),
            SystemPromptTokens = arguments.GetValue(_systemPromptTokens),
            MeanTurns = arguments.GetValue(_turns),
            MeanThinkTime = TimeSpan.FromSeconds(arguments.GetValue(_thinkSeconds)),
            MeanInputTokens = arguments.GetValue(_inputTokens),
            MeanOutputTokens = arguments.GetValue(_outputTokens),
            Burstiness = arguments.GetValue(_burstiness),
        };
        return new PlayedTrace(new GeneratedSessions(options), rate => (long)Math.Min(options.MostRequests, rate * options.Duration.TotalSeconds));
    }
}

/// <summary>A trace and about how many requests it has at a rate, for showing progress.</summary>
internal sealed record PlayedTrace(ITraceSource Source, Func<double, long> ExpectedAt);
