using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Engine;

namespace Mesh.Bench.KvEvents;

/// <summary>
/// Chat sessions in groups that share a system prompt. Turns come as a Poisson stream, each of a session picked at random among those
/// whose last turn is answered; a session that has grown to its last turn begins anew. It does what the gateway does with a prompt: hash, route,
/// send, tell the first byte and the usage.
/// </summary>
internal sealed class SessionLoad
{
    private const string Model = "meta-llama/Llama-3.1-8B-Instruct";
    private const int Groups = 8;
    private const int SystemWords = 900;
    private const int TurnWords = 160;
    private const int MaxTurns = 14;
    private const int AnswerTokens = 64;
    private const double ObjectiveMs = 1000;

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 4096 }) { Timeout = TimeSpan.FromMinutes(5) };
    private static readonly string[] Words = [.. Enumerable.Range(0, 512).Select(Word)];

    public double Seconds { get; init; }

    public double RatePerSecond { get; init; }

    public int Sessions { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Virtual time per real time of the endpoints: times to the first token are told in theirs.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Plays the load; requests that arrive in the first sixth warm the caches and are not counted.</summary>
    public async Task<LoadResult> RunAsync(EmbeddedEngine engine, PoolId pool, CancellationToken cancellationToken)
    {
        var random = new Xoshiro256(Seed);
        var systems = Enumerable.Range(0, Groups).Select(_ => Text(random, SystemWords)).ToArray();
        var sessions = Enumerable.Range(0, Sessions).Select(i => new Session(systems[i % Groups], Text(random, 20))).ToArray();
        // In the middle of their lives: what they say first is as long as what they would have said by then.
        foreach (var session in sessions) session.Age(random.NextInt32(MaxTurns), () => Text(random, TurnWords));
        var result = new LoadResult { Seconds = Seconds * 5 / 6 };
        var open = new ConcurrentBag<Task>();
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        for (var at = 0.0; at < Seconds;)
        {
            at -= Math.Log(1 - random.NextDouble()) / RatePerSecond;
            var session = sessions[random.NextInt32(Sessions)];
            var words = Text(random, (TurnWords / 2) + random.NextInt32(TurnWords));
            var wait = TimeSpan.FromSeconds(at) - time.GetElapsedTime(began);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, cancellationToken);
            // The same draws whatever is answered when: a session that is busy passes its turn on.
            for (var i = 0; session.IsBusy && i < Sessions; i++) session = sessions[(Array.IndexOf(sessions, session) + 1) % Sessions];
            if (session.IsBusy) continue;
            session.IsBusy = true;
            var counts = at >= Seconds / 6;
            open.Add(Task.Run(() => TurnAsync(engine, pool, session, words, Speed, counts ? result : null, cancellationToken), cancellationToken));
        }
        await Task.WhenAll(open);
        return result;
    }

    private static string Word(int number)
    {
        var random = new Xoshiro256((ulong)number + 77);
        // Of one to three tokens each.
        return string.Concat(Enumerable.Range(0, 3 + random.NextInt32(9)).Select(_ => (char)('a' + random.NextInt32(26))));
    }

    private static string Text(Xoshiro256 random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.NextInt32(Words.Length)]));

    private static async Task TurnAsync(
        EmbeddedEngine engine, PoolId pool, Session session, string words, double speed, LoadResult? result, CancellationToken cancellationToken)
    {
        var text = session.Begin(words);
        var bytes = Encoding.UTF8.GetBytes(text);
        var chain = new ulong[PrefixLayout.Growing.MaxBlocks];
        var hasher = new PromptHasher(PrefixLayout.Growing, chain, PromptHasher.SeedOf(Encoding.UTF8.GetBytes(Model)));
        hasher.Append(bytes);
        var request = new RouteRequest
        {
            RequestId = "",
            Pool = pool,
            Session = engine.Session,
            Model = Model,
            FairnessId = "",
            PromptTokens = (bytes.Length + 3) / 4,
            MaxOutputTokens = AnswerTokens,
            IsStreaming = true,
            PrefixChain = chain.AsMemory(0, hasher.Blocks),
        };
        var began = TimeProvider.System.GetTimestamp();
        var decision = await engine.Router.RouteAsync(request, cancellationToken);
        if (decision.Kind != RouteKind.Send)
        {
            session.End(null, MaxTurns);
            result?.Fail();
            return;
        }

        var body = JsonSerializer.Serialize(new
        {
            model = Model, prompt = text, max_tokens = AnswerTokens, temperature = 0, stream = true, stream_options = new { include_usage = true },
        });
        var kind = OutcomeKind.StreamBroken;
        var (prompt, cached, output, first) = (0, 0, 0, 0.0);
        var answer = new StringBuilder();
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, $"http://{decision.Endpoint}/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            using var response = await Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
                if (first == 0)
                {
                    first = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds * speed;
                    engine.Router.ReportFirstByte(pool, decision.Lease);
                }
                using var chunk = JsonDocument.Parse(line.AsMemory(6));
                foreach (var choice in chunk.RootElement.GetProperty("choices").EnumerateArray()) answer.Append(choice.GetProperty("text").GetString());
                if (!chunk.RootElement.TryGetProperty("usage", out var usage) || usage.ValueKind != JsonValueKind.Object) continue;
                prompt = usage.GetProperty("prompt_tokens").GetInt32();
                output = usage.GetProperty("completion_tokens").GetInt32();
                cached = usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
            }
            if (response.IsSuccessStatusCode && prompt > 0) kind = OutcomeKind.Success;
        }
        catch (HttpRequestException)
        {
            kind = OutcomeKind.ConnectFailure;
        }
        engine.Router.Complete(pool, decision.Lease, new RequestOutcome(kind, prompt, cached, output));
        session.End(kind == OutcomeKind.Success ? answer.ToString() : null, MaxTurns);
        if (kind == OutcomeKind.Success) result?.Add(first, prompt, cached, first <= ObjectiveMs);
        else result?.Fail();
    }

    private sealed class Session(string system, string opening)
    {
        private string _history = system + "\n" + opening;
        private int _turns;
        private int _lives;

        public volatile bool IsBusy;

        public void Age(int turns, Func<string> words)
        {
            for (_turns = 0; _turns < turns; _turns++) _history += "\nUser: " + words() + "\nAssistant: so it is.";
        }

        public string Begin(string words) => _history = _history + "\nUser: " + words + "\nAssistant:";

        public void End(string? answer, int maxTurns)
        {
            _history += answer ?? "";
            if (++_turns == maxTurns || answer is null)
            {
                _turns = 0;
                _history = $"{system}\n{opening} {++_lives}";
            }
            IsBusy = false;
        }
    }
}
