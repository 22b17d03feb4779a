using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Engine.Scraping.Orca;

namespace Mesh.Gateway.Inference.LoadReports;

/// <summary>
/// Asks model servers to tell their load beside an answer, and tells the engine. Writing a report costs a model server a walk over all of its
/// metrics, so each is asked only now and then. A request that is not asked for one allocates nothing here. Thread-safe; bounded.
/// </summary>
internal sealed class LoadReporter(InferenceServices services)
{
    // Edits of the manifests could bring ever new endpoints over the months.
    private const int MaxEndpoints = 8192;

    private readonly TimeSpan _interval = services.Options.LoadReportInterval;
    private readonly ConcurrentDictionary<EndpointId, StrongBox<long>> _asked = new();

    /// <summary>True when this request to the endpoint asks for a report, which the client then does not see.</summary>
    public bool ShouldAsk(InferenceExchange exchange, EndpointId endpoint)
    {
        // Servers tell nothing beside a stream, whose head comes too early for it.
        if (_interval <= TimeSpan.Zero || exchange.Facts.Stream || IsAskedBy(exchange)) return false;
        if (!_asked.TryGetValue(endpoint, out var asked))
        {
            if (_asked.Count >= MaxEndpoints) _asked.Clear();
            return _asked.TryAdd(endpoint, new StrongBox<long>(services.Time.GetTimestamp()));
        }

        var last = Volatile.Read(ref asked.Value);
        return services.Time.GetElapsedTime(last) >= _interval && Interlocked.CompareExchange(ref asked.Value, services.Time.GetTimestamp(), last) == last;
    }

    /// <summary>True when the client itself asks for the report of its request.</summary>
    public static bool IsAskedBy(InferenceExchange exchange) => exchange.Context.Request.Headers.ContainsKey(OrcaHeader.FormatName);

    /// <summary>Tells the engine what an answer's header said; without effect when that cannot be read. After the lease has been given back: the report counts the request no more.</summary>
    public void Tell(InferenceExchange exchange, EndpointId endpoint, string? header)
    {
        if (header is null || _interval <= TimeSpan.Zero || !OrcaHeader.TryParse(header, out var report)) return;
        services.Engine.ReportLoad(exchange.PoolId, endpoint, in report);
    }
}
