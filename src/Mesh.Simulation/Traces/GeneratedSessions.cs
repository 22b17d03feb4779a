using Mesh.Core.Randomness;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Traces;

/// <summary>
/// Chats made up from a description and a seed: each begins with one of a few system prompts, and each turn's prompt is all that was said
/// before and something new. Rows are made as they are read, so that a trace of millions needs no memory but that of its live sessions.
/// </summary>
internal sealed class GeneratedSessions : ITraceSource
{
    private const double MinuteMs = 60_000;

    private readonly SessionOptions _options;

    /// <summary>Takes the description.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public GeneratedSessions(SessionOptions options)
    {
        options.Validate();
        _options = options;
    }

    public double NativeRate => _options.RequestsPerSecond;

    public IEnumerable<TraceRequest> At(double requestsPerSecond)
    {
        if (!(requestsPerSecond > 0 && double.IsFinite(requestsPerSecond)))
            throw new ArgumentOutOfRangeException(nameof(requestsPerSecond), requestsPerSecond, "A rate is above 0.");
        return Rows(requestsPerSecond / _options.MeanTurns / 1000);
    }

    private IEnumerable<TraceRequest> Rows(double sessionsPerMs)
    {
        var random = new Xoshiro256(_options.Seed);
        var turns = new PriorityQueue<Session, (double TimeMs, long Number)>();
        var sessions = 0L;
        var requests = 0L;
        var unwarpedMs = 0.0;
        var buffer = new long[64];
        var endMs = _options.Duration.TotalMilliseconds;
        var nextBeginMs = Begin(random, sessionsPerMs, ref unwarpedMs);
        while (requests < _options.MostRequests)
        {
            Session session;
            double nowMs;
            if (turns.TryPeek(out _, out var next) && next.TimeMs <= nextBeginMs)
            {
                session = turns.Dequeue();
                nowMs = next.TimeMs;
            }
            else if (nextBeginMs < endMs)
            {
                session = new Session(++sessions, random.NextInt32(_options.SystemPrompts), _options.SystemPromptTokens / TraceRequest.BlockTokens * TraceRequest.BlockTokens);
                nowMs = nextBeginMs;
                nextBeginMs = Begin(random, sessionsPerMs, ref unwarpedMs);
            }
            else
            {
                yield break;
            }

            var prompt = session.Tokens + Draws.Exponential(random, _options.MeanInputTokens, 8, 65_536);
            var output = Draws.Exponential(random, _options.MeanOutputTokens, 1, 8192);
            if (prompt + output > _options.MostTokens) continue;
            requests++;
            var blocks = (prompt + output + TraceRequest.BlockTokens - 1) / TraceRequest.BlockTokens;
            if (buffer.Length < blocks) buffer = new long[blocks * 2];
            session.Fill(buffer.AsSpan(0, blocks), _options.SystemPromptTokens / TraceRequest.BlockTokens);
            yield return new TraceRequest
            {
                ArrivalMs = nowMs,
                PromptTokens = prompt,
                OutputTokens = output,
                Blocks = buffer.AsMemory(0, blocks),
                KnownTokens = prompt + output,
                Session = BlockHash.OfTraceBlock(session.Number),
            };
            session = session with { Tokens = prompt + output };
            if (random.NextDouble() * _options.MeanTurns < 1) continue;
            var turnMs = nowMs + Draws.Exponential(random, _options.MeanThinkTime.TotalMilliseconds);
            if (turnMs < endMs) turns.Enqueue(session, (turnMs, session.Number));
        }
    }

    // A Poisson stream on a clock that runs fast in the first half of each minute and slowly in the second.
    private double Begin(Xoshiro256 random, double sessionsPerMs, ref double unwarpedMs)
    {
        unwarpedMs += Draws.Exponential(random, 1 / sessionsPerMs);
        var (fast, slow) = (_options.Burstiness, 2 - _options.Burstiness);
        var minute = (long)(unwarpedMs / MinuteMs);
        var within = unwarpedMs - (minute * MinuteMs);
        var busyMs = MinuteMs / 2 * fast;
        var warped = within < busyMs ? within / fast : (MinuteMs / 2) + ((within - busyMs) / slow);
        return (minute * MinuteMs) + warped;
    }

    private readonly record struct Session(long Number, int SystemPrompt, int Tokens)
    {
        // Blocks of a system prompt are told apart by it alone, later ones by the session: an id names all before it.
        public void Fill(Span<long> blocks, int systemBlocks)
        {
            for (var i = 0; i < blocks.Length; i++)
                blocks[i] = i < systemBlocks ? -1 - (((long)SystemPrompt << 12) | (long)i) : (Number << 14) | (long)i;
        }
    }
}
