using System.Text.Json;

namespace Mesh.Cli.Load;

/// <summary>Asks a server which model it serves, where the command line names none.</summary>
internal static class ModelLookup
{
    private const int MaxBytes = 4 << 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>The first model of <c>/v1/models</c>, or what went wrong.</summary>
    public static async Task<(string? Model, string? Problem)> FirstAsync(LoadOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var address = new Uri(options.Target, "/v1/models");
        using var http = new HttpClient(LoadClient.Handler(options)) { MaxResponseContentBufferSize = MaxBytes, Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            foreach (var (name, value) in options.Headers) request.Headers.TryAddWithoutValidation(name, value);
            using var response = await http.SendAsync(request, both.Token);
            if (!response.IsSuccessStatusCode) return (null, $"{address} answers {(int)response.StatusCode}");
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(both.Token));
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Array && data.GetArrayLength() > 0
                && data[0].ValueKind == JsonValueKind.Object && data[0].TryGetProperty("id", out var id) && id.GetString() is { Length: > 0 } model
                ? (model, null)
                : (null, $"{address} lists no model");
        }
        catch (JsonException)
        {
            return (null, $"{address} does not answer in JSON");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, deadline.IsCancellationRequested ? $"{address} does not answer within {Timeout.TotalSeconds:0} s" : $"no connection to {address} within the time for it");
        }
        catch (HttpRequestException e)
        {
            return (null, $"{address} cannot be reached: {e.Message}");
        }
    }
}
