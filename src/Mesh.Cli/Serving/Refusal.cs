using System.Net;
using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Serving;

/// <summary>Tells of an answer that is a refusal: what the gateway says, and what to do next.</summary>
internal sealed class Refusal(ToolConsole console, Uri address, string what)
{
    public void Tell(HttpStatusCode status, string text)
    {
        var error = TryParse(text) is { ValueKind: JsonValueKind.Object } answer && answer.TryGetProperty("error", out var found) && found.ValueKind == JsonValueKind.Object
            ? found : default;
        var (code, message) = error.ValueKind == JsonValueKind.Object ? (TextOf(error, "code"), TextOf(error, "message")) : ("", "");
        var next = (status, code) switch
        {
            (_, "unknown_decision") => "ask for it: send the request again with the header x-mesh-explain: 1",
            (_, "last_endpoint") => "drain it all the same: --force; or undrain another one first: mesh get drains",
            (_, "not_drained") => "see what is drained: mesh get drains",
            (_, "unknown_target") => "see what there is: mesh get endpoints, mesh get clusters, mesh get regions",
            (_, "unknown_pool") => "see what there is: mesh get pools",
            (HttpStatusCode.Unauthorized, "invalid_api_key") => $"check the key in {ServerOptions.KeyVariable} or in the context's key file: mesh config view",
            (_, "role_missing") when message.Contains("operator", StringComparison.Ordinal) => $"put a key with the role operator into the environment: {ServerOptions.KeyVariable}",
            (HttpStatusCode.Unauthorized, _) or (_, "role_missing") =>
                $"put a key with the role reader into the environment: {ServerOptions.KeyVariable}; or name its file: mesh config set-context NAME --key-file FILE",
            (_, "not_allowed") or (HttpStatusCode.Forbidden, _) => "run mesh on the gateway's machine, or set Mesh:AdminAddress there and name it: --server URL",
            (HttpStatusCode.TooManyRequests, _) => "wait a minute",
            (HttpStatusCode.BadRequest, _) => "compare the gateway's version with mesh version",
            (HttpStatusCode.NotFound, _) => $"name the gateway's administrative address (Mesh:AdminAddress): --server URL or {ServerOptions.Variable}",
            _ => "see the gateway's log",
        };
        if (message.Length == 0 || code == "unknown_path") message = $"it answered {(int)status} and has no page of {what}";
        console.Problem($"{address}: {message}", next);
    }

    /// <summary>The text as JSON; null when it is none.</summary>
    public static JsonElement? TryParse(string text)
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

    private static string TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
