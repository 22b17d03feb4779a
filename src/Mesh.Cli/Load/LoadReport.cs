namespace Mesh.Cli.Load;

/// <summary>Results of a run, as <c>-o json</c> writes them. Times in milliseconds, unless the name says otherwise.</summary>
internal sealed record LoadReport
{
    /// <summary>Lateness of the generator at p99 from which its figures are doubtful.</summary>
    public static readonly TimeSpan MostLateness = TimeSpan.FromMilliseconds(5);

    public required string Url { get; init; }

    public required string Model { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Ended by Ctrl-C before its plan was.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Requests per second that the plan has on average.</summary>
    public required double PlannedRate { get; init; }

    /// <summary>From the end of the warm-up to the end of the last request.</summary>
    public required double Seconds { get; init; }

    public required Counts Requests { get; init; }

    /// <summary>Answered requests per second.</summary>
    public required double RequestsPerSecond { get; init; }

    public required TokenCounts Tokens { get; init; }

    public required GoodputFigures Goodput { get; init; }

    /// <summary>Planned arrival to first token; empty without streams.</summary>
    public required Distribution Ttft { get; init; }

    /// <summary>Mean time of each token after the first; empty without streams.</summary>
    public required Distribution Tpot { get; init; }

    /// <summary>Planned arrival to last byte.</summary>
    public required Distribution EndToEnd { get; init; }

    /// <summary>Planned arrival to sending: the generator's own delay.</summary>
    public required Distribution GeneratorLateness { get; init; }

    public required IReadOnlyList<ErrorCount> Errors { get; init; }

    /// <summary>Endpoints that the gateway named in its answers.</summary>
    public required IReadOnlyList<EndpointShare> Endpoints { get; init; }

    /// <summary>What makes the figures doubtful.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Takes the figures.</summary>
    public static LoadReport Of(LoadOptions options, LoadPlan plan, LoadRecorder recorder, TimeSpan now, bool interrupted)
    {
        var end = interrupted || recorder.LastEnd == TimeSpan.Zero ? now : recorder.LastEnd;
        var seconds = Math.Max(1e-6, (end - options.WarmUp).TotalSeconds);
        var counted = recorder.Answered + recorder.Failed;
        var served = recorder.Endpoints();
        var named = served.Sum(e => e.Count);
        var errors = recorder.Errors();
        return new LoadReport
        {
            Url = options.Target.ToString(),
            Model = options.Model,
            Seed = options.Seed,
            Interrupted = interrupted,
            PlannedRate = plan.Rate,
            Seconds = seconds,
            Requests = new Counts(recorder.Planned, recorder.Answered, recorder.Failed, recorder.Interrupted, recorder.WarmUp, recorder.MostInFlight),
            RequestsPerSecond = recorder.Answered / seconds,
            Tokens = new TokenCounts(
                recorder.PromptTokens, recorder.OutputTokens, recorder.OutputTokens / seconds, recorder.Chunks,
                recorder.AnswersWithCachedTokens > 0 ? recorder.CachedTokens : null,
                recorder.AnswersWithCachedTokens > 0 && recorder.PromptTokens > 0 ? (double)recorder.CachedTokens / recorder.PromptTokens : null),
            Goodput = new GoodputFigures(
                options.Slo.Ttft?.TotalMilliseconds, options.Slo.Tpot?.TotalMilliseconds, options.Slo.EndToEnd?.TotalMilliseconds,
                recorder.Good, recorder.Good / seconds, counted == 0 ? 0 : (double)recorder.Good / counted),
            Ttft = Distribution.Of(recorder.Ttft),
            Tpot = Distribution.Of(recorder.Tpot),
            EndToEnd = Distribution.Of(recorder.EndToEnd),
            GeneratorLateness = Distribution.Of(recorder.Lateness),
            Errors = [.. errors.Select(e => new ErrorCount(e.Kind, e.Detail.Length == 0 ? null : e.Detail, e.Count))],
            Endpoints = [.. served.Select(e => new EndpointShare(e.Name, e.Count, (double)e.Count / named))],
            Warnings = [.. WarningsOf(options, recorder, errors)],
        };
    }

    private static IEnumerable<string> WarningsOf(LoadOptions options, LoadRecorder recorder, List<(OutcomeKind Kind, string Detail, long Count)> errors)
    {
        var lateUs = recorder.Lateness.QuantileUs(0.99);
        if (lateUs > MostLateness.TotalMicroseconds)
            yield return $"this generator was late itself: p99 {Durations.Text(lateUs)} after the planned time; take a lower rate or a faster machine";
        if (errors.Any(e => e.Kind == OutcomeKind.NotSent))
            yield return $"--max-in-flight {options.MaxInFlight} was reached: requests beyond it were not sent and count as errors";
        if (recorder.MostInFlight > options.Connections)
            yield return $"--connections {options.Connections} were all in use: requests waited for one, and their wait counts";
    }

    /// <summary>Numbers of requests; those of the warm-up count in <paramref name="WarmUp"/> alone.</summary>
    internal sealed record Counts(long Planned, long Answered, long Failed, long Interrupted, long WarmUp, int MostInFlight);

    /// <summary>Tokens as servers count them, else events with text; cached ones where servers tell.</summary>
    internal sealed record TokenCounts(long Prompt, long Output, double OutputPerSecond, long Chunks, long? Cached, double? CachedShare);

    /// <summary>Answers within the service level, among all that ended.</summary>
    internal sealed record GoodputFigures(double? SloTtftMs, double? SloTpotMs, double? SloE2eMs, long Good, double PerSecond, double Share);

    /// <summary>Errors of one kind.</summary>
    internal sealed record ErrorCount(OutcomeKind Kind, string? Detail, long Count);

    /// <summary>Answers of one endpoint.</summary>
    internal sealed record EndpointShare(string Endpoint, long Count, double Share);

    /// <summary>One distribution. Quantiles err by 0.4% at most; least, greatest and mean are exact.</summary>
    internal sealed record Distribution(long Count, double Min, double Mean, double P50, double P90, double P99, double P999, double Max, IReadOnlyList<double[]> Histogram)
    {
        /// <param name="histogram">Where from; its buckets become rows of from (included), to (excluded) and number.</param>
        public static Distribution Of(LatencyHistogram histogram) => new(
            histogram.Count, histogram.MinUs / 1000.0, histogram.MeanUs / 1000, At(histogram, 0.5), At(histogram, 0.9), At(histogram, 0.99),
            At(histogram, 0.999), histogram.MaxValueUs / 1000.0, [.. histogram.Buckets().Select(b => new[] { b.FromUs / 1000.0, b.ToUs / 1000.0, b.Count })]);

        private static double At(LatencyHistogram histogram, double share) => histogram.QuantileUs(share) / 1000;
    }
}
