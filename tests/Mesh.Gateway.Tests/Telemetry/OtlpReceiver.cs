using System.Collections.Concurrent;
using Mesh.Testing.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>An OTLP receiver over HTTP that keeps what it gets.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app, Uri uri)
    {
        _app = app;
        Uri = uri;
    }

    public Uri Uri { get; }

    public ConcurrentQueue<ProtoMessage> Metrics { get; } = new();

    public ConcurrentQueue<ProtoMessage> Traces { get; } = new();

    /// <summary>Headers of the last request.</summary>
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Spans that came: name, parent's id, attributes.</summary>
    public IEnumerable<ProtoMessage> Spans => Traces.SelectMany(t => t.Path(1, 2, 2));

    public static async Task<OtlpReceiver> StartAsync()
    {
        var address = FreePorts.NextAddress();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://{address}");
        var receiver = new OtlpReceiver(builder.Build(), new Uri($"http://{address}"));
        receiver._app.Run(receiver.HandleAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Data points of the newest export that has the metric; gauge, sum and histogram alike.</summary>
    public ProtoMessage[] Points(string metric) =>
        [.. Metrics.Reverse().Select(m => m.Path(1, 2, 2).Where(x => x.Text(1) == metric).SelectMany(x => new[] { 5, 7, 9 }.SelectMany(f => x.Path(f, 1))).ToArray()).FirstOrDefault(p => p.Length > 0) ?? []];

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        lock (Headers)
        {
            foreach (var (name, value) in context.Request.Headers) Headers[name] = value.ToString();
        }

        var message = new ProtoMessage(body.ToArray());
        if (context.Request.Path == "/v1/metrics") Metrics.Enqueue(message);
        else if (context.Request.Path == "/v1/traces") Traces.Enqueue(message);
        else context.Response.StatusCode = 404;
    }
}
