using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Mesh.Cli.Load;

/// <summary>Arguments of <c>mesh load</c>: their words, defaults and ranges, and what they mean together.</summary>
internal sealed class LoadArguments
{
    private const string KeyVariable = "MESH_API_KEY";

    private readonly Argument<Uri> _url = new("URL")
    {
        Description = "Gateway or model server, such as http://127.0.0.1:8080; with a path, exactly that address is called.",
        CustomParser = ReadUrl,
    };

    private readonly Option<double?> _rate = Number("--rate", "Requests per second. With --trace: instead of the trace's own.", 1e-6, 1e6);
    private readonly Option<string> _arrivals = Words("--arrivals", "Gaps between requests that no trace times: exponential, equal, or in crowds.", "poisson", "uniform", "bursty");
    private readonly Option<double?> _burstiness = Number("--burstiness", "Bursty: standard deviation of the gaps, in means. Default: 3.", 1, 100);
    private readonly Option<TimeSpan?> _duration = Duration("--duration", "Requests are planned for so long; with neither this nor --requests nor --trace, 30s.");
    private readonly Option<double?> _requests = Number("--requests", "Requests at most.", 1, 1e12);
    private readonly Option<TimeSpan?> _warmUp = Duration("--warm-up", "Requests planned before it are sent and not counted.");
    private readonly Option<double?> _seed = Number("--seed", "Decides times, lengths and texts: the same seed gives the same requests. Default: 1.", 0, 1L << 53);
    private readonly Option<string?> _trace = new("--trace") { Description = "Recorded requests: Mooncake's JSONL or Azure's CSV. Equal block hashes become equal text.", HelpName = "FILE" };
    private readonly Option<double?> _rateScale = Number("--rate-scale", "Multiplies the rate: 2 plays a trace twice as fast. Default: 1.", 1e-6, 1e6);
    private readonly Option<TraceSlice?> _slice = Parsed<TraceSlice?>("--slice", "Part of the trace, by rows or by time.", "A..B", "rows such as 100..500 or times such as 5m..10m",
        text => TraceSlice.TryParse(text, out var slice) ? slice : null);

    private readonly Option<Lengths?> _promptTokens = Length("--prompt-tokens", "Tokens of a prompt; with --turns, those that a turn adds. Default: exp:400.");
    private readonly Option<Lengths?> _outputTokens = Length("--output-tokens", "Tokens of an answer. Default: exp:200.");
    private readonly Option<double?> _prefixes = Number("--prefixes", "Texts that prompts begin with, each prompt with one of so many. Default: 0, none.", 0, 1e6);
    private readonly Option<double?> _prefixTokens = Number("--prefix-tokens", "Tokens of each; with --turns in whole blocks of 512. Default: 1024.", 1, 1e6);
    private readonly Option<double?> _turns = Number("--turns", "Mean turns of a session: each prompt repeats what was said before. Default: 1.", 1, 1000);
    private readonly Option<TimeSpan?> _thinkTime = Duration("--think-time", "Mean time between the arrivals of two turns. Default: 30s.");
    private readonly Option<bool> _stream = new("--stream") { Description = "Answers as streams. This is the default." };
    private readonly Option<bool> _noStream = new("--no-stream") { Description = "Answers in one piece: no TTFT and no TPOT." };
    private readonly Option<string> _api = Words("--api", "Which generation is called.", "completions", "chat");
    private readonly Option<string?> _model = new("--model") { Description = "Model; without it, the first that the server lists.", HelpName = "NAME" };
    private readonly Option<string[]> _headers = new("--header") { Description = "Header of every request, as 'Name: value'; repeatable.", HelpName = "HEADER" };
    private readonly Option<string?> _apiKey = new("--api-key") { Description = $"Bearer token; without it, the environment's {KeyVariable}.", HelpName = "KEY" };
    private readonly Option<string?> _objective = new("--objective") { Description = "InferenceObjective that the requests name, for their priority in the gateway.", HelpName = "NAME" };
    private readonly Option<double?> _priority = Number("--priority", "vLLM's priority, in the body.", int.MinValue, int.MaxValue);
    private readonly Option<bool> _noIgnoreEos = new("--no-ignore-eos") { Description = "Answers may end before their planned tokens; for servers that refuse ignore_eos." };
    private readonly Option<double?> _connections = Number("--connections", "Connections at most; waiting for one counts as latency. Default: 10000.", 1, 1e5);
    private readonly Option<double?> _maxInFlight = Number("--max-in-flight", "Requests under way at most; those beyond are not sent and count as errors. Default: 10000.", 1, 1e6);
    private readonly Option<TimeSpan?> _timeout = Duration("--timeout", "From sending a request to the end of its answer. Default: 10m.");
    private readonly Option<TimeSpan?> _connectTimeout = Duration("--connect-timeout", "For a connection. Default: 5s.");
    private readonly Option<bool> _insecure = new("--insecure") { Description = "Do not check the server's certificate." };
    private readonly Option<TimeSpan?> _sloTtft = Duration("--slo-ttft", "Time to first token of a good answer. Default: 2s, or none without streams.");
    private readonly Option<TimeSpan?> _sloTpot = Duration("--slo-tpot", "Time per further token of a good answer. Default: 50ms.");
    private readonly Option<TimeSpan?> _sloEndToEnd = Duration("--slo-e2e", "Time of a good answer as a whole. Default: none.");

    /// <summary>Adds all of them to a command, with what they must keep to together.</summary>
    public void AddTo(Command command)
    {
        command.Arguments.Add(_url);
        _headers.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!TryHeader(token.Value, out _)) result.AddError($"--header {token.Value}: a name, a colon and a value are expected.");
            }
        });
        Option[] options =
        [
            _rate, _arrivals, _burstiness, _duration, _requests, _warmUp, _seed, _trace, _rateScale, _slice, _promptTokens, _outputTokens, _prefixes, _prefixTokens,
            _turns, _thinkTime, _api, _model, _stream, _noStream, _noIgnoreEos, _headers, _apiKey, _objective, _priority, _connections, _maxInFlight, _timeout,
            _connectTimeout, _insecure, _sloTtft, _sloTpot, _sloEndToEnd,
        ];
        foreach (var option in options) command.Options.Add(option);
        command.Validators.Add(Check);
    }

    /// <summary>What the command line asks for. The model is empty where the server is to be asked.</summary>
    public LoadOptions Read(ParseResult arguments, Func<string, string?> environment)
    {
        var defaults = new LoadOptions { Target = new Uri("http://localhost"), Model = "" };
        var stream = !arguments.GetValue(_noStream);
        var api = arguments.GetValue(_api) == "chat" ? LoadApi.Chat : LoadApi.Completions;
        var (trace, duration, requests) = (arguments.GetValue(_trace), arguments.GetValue(_duration), arguments.GetValue(_requests));
        if (trace is null && duration is null && requests is null) duration = TimeSpan.FromSeconds(30);
        var (prompt, output) = (arguments.GetValue(_promptTokens) ?? Exponential(400), arguments.GetValue(_outputTokens) ?? Exponential(200));
        return defaults with
        {
            Target = Complete(arguments.GetRequiredValue(_url), api),
            Model = arguments.GetValue(_model) ?? "",
            Api = api,
            Stream = stream,
            IgnoreEos = !arguments.GetValue(_noIgnoreEos),
            Priority = (int?)arguments.GetValue(_priority),
            Headers = Headers(arguments, environment),
            Seed = (ulong)(arguments.GetValue(_seed) ?? 1),
            Rate = arguments.GetValue(_rate),
            RateScale = arguments.GetValue(_rateScale) ?? 1,
            Arrivals = Enum.Parse<ArrivalPattern>(arguments.GetValue(_arrivals)!, ignoreCase: true),
            Burstiness = arguments.GetValue(_burstiness) ?? defaults.Burstiness,
            Duration = duration,
            Requests = (long?)requests ?? long.MaxValue,
            TraceFile = trace,
            Slice = arguments.GetValue(_slice) ?? TraceSlice.All,
            PromptTokens = prompt,
            OutputTokens = output,
            SessionMeans = (prompt.ExponentialMean ?? 0, output.ExponentialMean ?? 0),
            Prefixes = (int)(arguments.GetValue(_prefixes) ?? 0),
            PrefixTokens = (int?)arguments.GetValue(_prefixTokens) ?? defaults.PrefixTokens,
            Turns = arguments.GetValue(_turns) ?? 1,
            ThinkTime = arguments.GetValue(_thinkTime) ?? defaults.ThinkTime,
            WarmUp = arguments.GetValue(_warmUp) ?? TimeSpan.Zero,
            Connections = (int?)arguments.GetValue(_connections) ?? defaults.Connections,
            MaxInFlight = (int?)arguments.GetValue(_maxInFlight) ?? defaults.MaxInFlight,
            Timeout = arguments.GetValue(_timeout) ?? defaults.Timeout,
            ConnectTimeout = arguments.GetValue(_connectTimeout) ?? defaults.ConnectTimeout,
            Insecure = arguments.GetValue(_insecure),
            Slo = new Slo(
                arguments.GetValue(_sloTtft) ?? (stream ? TimeSpan.FromSeconds(2) : null),
                arguments.GetValue(_sloTpot) ?? (stream ? TimeSpan.FromMilliseconds(50) : null),
                arguments.GetValue(_sloEndToEnd)),
        };
    }

    private void Check(CommandResult result)
    {
        var hasTrace = result.GetResult(_trace) is not null;
        if (!hasTrace && result.GetResult(_rate) is null) result.AddError("--rate is missing: how many requests per second are to be sent; or --trace.");
        if (!hasTrace && result.GetResult(_slice) is not null) result.AddError("--slice is a part of a --trace, and there is none.");
        if (result.GetValue(_stream) && result.GetValue(_noStream)) result.AddError("--stream and --no-stream exclude each other.");
        foreach (var option in new Option[] { _turns, _prefixes, _prefixTokens, _promptTokens, _outputTokens, _burstiness, _thinkTime })
        {
            if (hasTrace && result.GetResult(option) is not null) result.AddError($"{option.Name} is for requests that are made up; --trace brings its own.");
        }

        if (hasTrace || !(result.GetValue(_turns) > 1)) return;
        if (result.GetValue(_promptTokens) is { ExponentialMean: null } || result.GetValue(_outputTokens) is { ExponentialMean: null })
            result.AddError("--turns makes up sessions of exponential lengths: --prompt-tokens and --output-tokens must be exp:MEAN.");
        if (result.GetValue(_promptTokens) is { ExponentialMean: < 8 }) result.AddError("--turns: a turn adds at least exp:8 to its prompt.");
    }

    private List<KeyValuePair<string, string>> Headers(ParseResult arguments, Func<string, string?> environment)
    {
        List<KeyValuePair<string, string>> headers = [];
        if ((arguments.GetValue(_apiKey) ?? environment(KeyVariable)) is { Length: > 0 } key) headers.Add(new("Authorization", $"Bearer {key.Trim()}"));
        if (arguments.GetValue(_objective) is { } objective) headers.Add(new("x-gateway-inference-objective", objective));
        foreach (var text in arguments.GetValue(_headers) ?? [])
        {
            if (TryHeader(text, out var header)) headers.Add(header);
        }

        return headers;
    }

    private static bool TryHeader(string text, out KeyValuePair<string, string> header)
    {
        header = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || text.AsSpan().ContainsAny("\r\n\0")) return false;
        var name = text[..colon];
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))) return false;
        header = new(name, text[(colon + 1)..].Trim());
        return true;
    }

    private static Uri ReadUrl(ArgumentResult result)
    {
        var text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
        if (!text.Contains("://", StringComparison.Ordinal)) text = "http://" + text;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0) return uri;
        result.AddError($"URL {(result.Tokens.Count == 0 ? "" : result.Tokens[0].Value)}: an address such as http://127.0.0.1:8080 is expected.");
        return new Uri("http://invalid");
    }

    private static Uri Complete(Uri url, LoadApi api)
    {
        var path = url.AbsolutePath.TrimEnd('/');
        if (path is not ("" or "/v1")) return url;
        return new UriBuilder(url) { Path = api == LoadApi.Chat ? "/v1/chat/completions" : "/v1/completions" }.Uri;
    }

    private static Lengths Exponential(int mean) => Lengths.TryParse(string.Create(CultureInfo.InvariantCulture, $"exp:{mean}"), out var lengths) ? lengths : default;

    private static Option<string> Words(string name, string description, params string[] words)
    {
        var option = new Option<string>(name) { Description = description, HelpName = string.Join('|', words), DefaultValueFactory = _ => words[0] };
        option.CompletionSources.Add(words);
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !words.Contains(result.Tokens[^1].Value)) result.AddError($"{name} is {result.Tokens[^1].Value}; it must be one of {string.Join(", ", words)}.");
        });
        return option;
    }

    private static Option<double?> Number(string name, string description, double least, double most) => Parsed<double?>(
        name, description, "N", string.Create(CultureInfo.InvariantCulture, $"a number, {least:0.######} to {most:0}"),
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value : null);

    private static Option<TimeSpan?> Duration(string name, string description) => Parsed<TimeSpan?>(
        name, description, "TIME", "a time such as 500ms, 30s or 10m", text => Durations.TryParse(text, out var value) && value > TimeSpan.Zero ? value : null);

    private static Option<Lengths?> Length(string name, string description) => Parsed<Lengths?>(
        name, description, "N|A..B|exp:MEAN", "tokens such as 512, 100..800 or exp:400", text => Lengths.TryParse(text, out var value) ? value : null);

    private static Option<T> Parsed<T>(string name, string description, string helpName, string expected, Func<string, T> read) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            var value = read(result.Tokens[^1].Value);
            if (value is null) result.AddError($"{name} is {result.Tokens[^1].Value}; {expected} is expected.");
            return value;
        },
    };
}
