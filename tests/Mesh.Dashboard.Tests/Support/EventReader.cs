using System.Text.Json;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>Reads server-sent events, and counts what they weigh.</summary>
internal sealed class EventReader(HttpResponseMessage response) : IDisposable
{
    private StreamReader? _reader;

    /// <summary>Characters that came; the events are ASCII.</summary>
    public long Bytes { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpClient client, string path) =>
        new(await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead));

    /// <summary>The next event, its name empty where it has none; comments are passed over.</summary>
    public async Task<(string Name, JsonElement Data)> NextAsync()
    {
        _reader ??= new StreamReader(await response.Content.ReadAsStreamAsync());
        var name = "";
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await _reader.ReadLineAsync(deadline.Token) is { } line)
        {
            Bytes += line.Length + 1;
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            using var json = JsonDocument.Parse(line[6..]);
            return (name, json.RootElement.Clone());
        }

        throw new EndOfStreamException();
    }

    public void Dispose()
    {
        _reader?.Dispose();
        response.Dispose();
    }
}
