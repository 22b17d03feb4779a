using System.Text;
using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Serving;

/// <summary>A running gateway, asked by its administrative API. What goes wrong is told here, with what to do next.</summary>
/// <param name="console">Where problems go.</param>
/// <param name="addresses">Where it may be: the first that somebody listens at is asked.</param>
/// <param name="key">Key that is sent; null for none.</param>
internal sealed class AdminServer(ToolConsole console, IReadOnlyList<Uri> addresses, string? key)
{
    private const int MaxAnswerBytes = 64 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private Uri _address = addresses[0];
    private bool _found;

    /// <summary>Where it is.</summary>
    public Uri Address => _address;

    /// <summary>Asks for a page; null when there is no answer to work with, which has then been told of.</summary>
    /// <param name="path">Path and query.</param>
    /// <param name="what">What is asked for, as a message names it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<JsonElement?> GetAsync(string path, string what, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, what, cancellationToken);

    /// <summary>Sends a request; null when there is no answer to work with, which has then been told of.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <param name="what">What is asked for, as a message names it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<JsonElement?> SendAsync(HttpMethod method, string path, string? body, string what, CancellationToken cancellationToken)
    {
        // A proxy of the environment is for the world outside, not for one's own gateway.
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = Patience };
        using var client = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MaxAnswerBytes };
        try
        {
            using var response = await SendAsync(client, method, path, body, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.IsSuccessStatusCode) return Parse(text);
            new Refusal(console, _address, what).Tell(response.StatusCode, text);
        }
        catch (HttpRequestException e)
        {
            var where = addresses.Count == 1 ? $"{_address}" : string.Join(" and ", addresses);
            console.Problem(
                $"{where} cannot be reached: {e.Message}",
                $"start the gateway, or name its administrative address: --server URL, {ServerOptions.Variable}, or mesh config set-context");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            console.Problem($"{_address} did not answer within {Patience.TotalSeconds:0} s", "see whether the gateway runs and is not overloaded");
        }

        return null;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, string? body, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            using var request = new HttpRequestMessage(method, new Uri(_found ? _address : addresses[i], path));
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            if (key is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            try
            {
                var response = await client.SendAsync(request, cancellationToken);
                if (!_found) (_address, _found) = (addresses[i], true);
                return response;
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError && !_found && i < addresses.Count - 1)
            {
                // Nobody listens there; the next address may be the one.
            }
        }
    }

    private JsonElement? Parse(string text)
    {
        if (Refusal.TryParse(text) is { ValueKind: JsonValueKind.Object } answer) return answer;
        console.Problem($"{_address} gave an answer that is not the gateway's", $"name the gateway's administrative address: --server URL or {ServerOptions.Variable}");
        return null;
    }
}
