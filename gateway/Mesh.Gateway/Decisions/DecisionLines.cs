using Mesh.Engine;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Decisions;

/// <summary>Writes the kept decisions of requests that have ended to the log, one JSON line for each attempt, where <c>Mesh:DecisionLog:WriteToLog</c> is on.</summary>
internal sealed partial class DecisionLines(bool enabled, IMeshEngine engine, DecisionJson json, ILoggerFactory loggers)
{
    /// <summary>Category of the logger.</summary>
    public const string Category = "Mesh.DecisionLog";

    // An attempt and its retries.
    private const int MaxAttempts = 16;

    private readonly ILogger _log = loggers.CreateLogger(Category);

    /// <summary>Writes what is kept of a request.</summary>
    public void Write(InferenceExchange exchange)
    {
        if (!enabled || exchange.Pool is null || !(exchange.IsExplained || exchange.WasRefused) || !_log.IsEnabled(LogLevel.Information)) return;
        foreach (var decision in engine.Decisions(exchange.PoolId, exchange.RequestId, MaxAttempts)) Line(_log, json.Line(decision));
    }

    [LoggerMessage(1, LogLevel.Information, "{Json}")]
    private static partial void Line(ILogger log, string json);
}
