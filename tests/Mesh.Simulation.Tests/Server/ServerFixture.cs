using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.Tests.Server;

/// <summary>A server on a free port with a client of its own.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    public const string Base = "llama";
    public const string Adapter = "food-review-1";
    public const string Pizza = "What is the best pizza in the world?";

    private ServerFixture(SimulatedVllmServer server)
    {
        Server = server;
        Client = new HttpClient { BaseAddress = new Uri($"http://{server.Address}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public SimulatedVllmServer Server { get; }

    public HttpClient Client { get; }

    public static SimulatedVllmOptions Options { get; } = new() { Models = [new(Base), new(Adapter, Base)], Speed = 20 };

    public static async Task<ServerFixture> StartAsync(SimulatedVllmOptions? options = null) =>
        new(await SimulatedVllmServer.StartAsync(options ?? Options, CancellationToken.None));

    /// <summary>Waits for a condition, at most five seconds.</summary>
    public static async Task<bool> EventuallyAsync(Func<bool> condition)
    {
        for (var i = 0; i < 500; i++)
        {
            if (condition()) return true;
            await Task.Delay(10);
        }

        return false;
    }

    public Task<HttpResponseMessage> PostAsync(string path, string body) =>
        Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    /// <summary>Opens a stream and returns when the first line has come.</summary>
    public async Task<(HttpResponseMessage Response, StreamReader Reader)> OpenStreamAsync(string body, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (response, new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken)));
    }

    public async Task<JsonElement> PostJsonAsync(string path, string body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await PostAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"{response.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Posts a streaming request and returns its chunks; asserts the event format and the closing [DONE].</summary>
    public async Task<List<JsonElement>> PostStreamAsync(string path, string body)
    {
        using var response = await PostAsync(path, body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n");
        Assert.Equal("", events[^1]);
        Assert.Equal("data: [DONE]", events[^2]);
        return [.. events[..^2].Select(e => JsonDocument.Parse(e["data: ".Length..]).RootElement)];
    }

    /// <summary>One sample of the metrics page, by name and a part of its labels.</summary>
    public async Task<double> MetricAsync(string name, string label = "")
    {
        var page = await Client.GetStringAsync("/metrics");
        var line = page.Split('\n').Single(l => l.StartsWith(name + "{", StringComparison.Ordinal) && l.Contains(label));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
