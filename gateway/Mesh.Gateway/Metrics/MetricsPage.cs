using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Mesh.Engine;

namespace Mesh.Gateway.Metrics;

/// <summary><c>/metrics</c>: everything that the gateway and its engine count, and the engine's view of pools, backends and endpoints.</summary>
internal sealed class MetricsPage(IMeshEngine engine, ImmutableArray<IMetricSource> sources, TimeProvider time)
{
    private const int FirstBytes = 32 * 1024;

    private int _lastBytes = FirstBytes;

    public async Task HandleAsync(HttpContext context)
    {
        var page = Write();
        context.Response.ContentType = PrometheusWriter.ContentType;
        context.Response.ContentLength = page.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(page.WrittenMemory);
    }

    internal string Render() => Encoding.UTF8.GetString(Write().WrittenSpan);

    private ArrayBufferWriter<byte> Write()
    {
        var page = new ArrayBufferWriter<byte>(_lastBytes + 4096);
        var writer = new PrometheusWriter(page);
        var reading = new Reading(engine.Snapshot(), time);
        foreach (var source in sources)
        {
            if (source.Definition.PageName is not null) writer.Write(source, reading);
        }

        _lastBytes = page.WrittenCount;
        return page;
    }
}
