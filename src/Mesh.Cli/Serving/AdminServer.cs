using System.CommandLine;
using System.Net;
using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Serving;

/// <summary>A running gateway, asked by its administrative API.</summary>
internal sealed class AdminServer(Uri address)
{
    /// <summary>Environment variable that names the server.</summary>
    public const string Variable = "MESH_SERVER";

    /// <summary>Environment variable with the key that is sent.</summary>
    public const string KeyVariable = "MESH_KEY";

    private const string Default = "http://127.0.0.1:9090";
    private const int MaxAnswerBytes = 16 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The option <c>--server</c>, as every command that asks a gateway has it.</summary>
    public static Option<string> CreateOption()
    {
        var option = new Option<string>("--server")
        {
            Description = $"Administrative address of the gateway (Mesh:AdminAddress), or a listener of one that has none; {Variable} says the same.",
            HelpName = "URL",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : Default,
        };
        option.Validators.Add(result =>
        {
            var url = result.GetValueOrDefault<string>();
            if (!IsAddress(url, out _)) result.AddError($"Option --server is {url}; it must be a URL such as {Default}.");
        });
        return option;
    }

    /// <summary>The server that the option names.</summary>
    public static AdminServer Of(ParseResult arguments, Option<string> option) =>
        new(IsAddress(arguments.GetRequiredValue(option), out var address) ? address! : new Uri(Default));

    /// <summary>Asks for a page; null when there is no answer to work with, which has then been told of.</summary>
    public async Task<JsonElement?> GetAsync(ToolConsole console, string path, CancellationToken cancellationToken)
    {
        // A proxy of the environment is for the world outside, not for one's own gateway.
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = Patience };
        using var client = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MaxAnswerBytes };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
            // From the environment alone: arguments stand in the list of processes.
            if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            using var response = await client.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK) return Parse(console, text);
            Refused(console, response.StatusCode, text);
        }
        catch (HttpRequestException e)
        {
            console.Problem($"{address} cannot be reached: {e.Message}", $"start the gateway, or name its administrative address: --server URL or {Variable}");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            console.Problem($"{address} did not answer within {Patience.TotalSeconds:0} s", "see whether the gateway runs and is not overloaded");
        }

        return null;
    }

    private static bool IsAddress(string? text, out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https" && address!.Host.Length > 0;

    private JsonElement? Parse(ToolConsole console, string text)
    {
        if (TryParse(text) is { ValueKind: JsonValueKind.Object } answer) return answer;
        console.Problem($"{address} gave an answer that is not the gateway's", $"name the gateway's administrative address: --server URL or {Variable}");
        return null;
    }

    private void Refused(ToolConsole console, HttpStatusCode status, string text)
    {
        var error = TryParse(text) is { ValueKind: JsonValueKind.Object } answer && answer.TryGetProperty("error", out var found) && found.ValueKind == JsonValueKind.Object
            ? found : default;
        var (code, message) = error.ValueKind == JsonValueKind.Object ? (TextOf(error, "code"), TextOf(error, "message")) : ("", "");
        var next = (status, code) switch
        {
            (_, "unknown_decision") => "ask for it: send the request again with the header x-mesh-explain: 1",
            (HttpStatusCode.Unauthorized, _) or (_, "role_missing") => $"put a key with the role reader into the environment: {KeyVariable}",
            (_, "not_allowed") or (HttpStatusCode.Forbidden, _) => "run mesh on the gateway's machine, or set Mesh:AdminAddress there and name it: --server URL",
            (HttpStatusCode.NotFound, _) => $"name the gateway's administrative address (Mesh:AdminAddress): --server URL or {Variable}",
            _ => "see the gateway's log",
        };
        if (message.Length == 0 || code == "unknown_path") message = $"it answered {(int)status} and has no page of decisions";
        console.Problem($"{address}: {message}", next);
    }

    private static string TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static JsonElement? TryParse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
