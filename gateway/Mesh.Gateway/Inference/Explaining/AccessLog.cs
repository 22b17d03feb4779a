using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Core.HttpRouting;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Telemetry;

namespace Mesh.Gateway.Inference.Explaining;

/// <summary>
/// One JSON line for each request that the pool's <c>logging.sampleRate</c> picks, and for each that failed, whatever the rate. Prompts, keys
/// and queries never stand there.
/// </summary>
internal sealed partial class AccessLog(ILoggerFactory loggers, RequestDraw draw, TimeProvider time, AccessLogFile? file = null)
{
    /// <summary>Category of the logger.</summary>
    public const string Category = "Mesh.AccessLog";

    // What a client may write as long as it likes.
    private const int MaxChars = 256;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ILogger _log = loggers.CreateLogger(Category);

    /// <summary>Writes a request that has ended, if it is picked or failed.</summary>
    public void Write(InferenceExchange exchange)
    {
        if (exchange.Pool?.Config.LogSampleRatio is not { } ratio || ratio <= 0) return;
        var always = HasFailed(exchange);
        if (!always && ratio < 1 && draw.NextRatio() >= ratio) return;
        if (file is null && !_log.IsEnabled(LogLevel.Information)) return;
        var line = Json(exchange, always ? 1 : ratio);
        if (file is null) Line(_log, Encoding.UTF8.GetString(line.WrittenSpan));
        else file.Write([.. line.WrittenSpan, (byte)'\n']);
    }

    /// <summary>
    /// What an operator has to look into: a server's error, whosever it is, and an answer that did not come to its end. Refusals by 4xx, 429
    /// among them, and clients that leave are counted, and drawn like successes: a storm of them must not become one of lines.
    /// </summary>
    private static bool HasFailed(InferenceExchange exchange) =>
        exchange.Status >= 500 || exchange.Ending is not (null or RequestTimes.Complete or "client_gone");

    private ArrayBufferWriter<byte> Json(InferenceExchange exchange, double ratio)
    {
        var times = RequestTimes.Of(exchange);
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, time.GetUtcNow());
            json.WriteString("request_id"u8, exchange.RequestId);
            json.WriteString("trace_id"u8, exchange.Trace?.TraceId);
            json.WriteString("span_id"u8, exchange.Trace?.SpanId);
            json.WriteNumber("sample_ratio"u8, ratio);
            json.WriteString("method"u8, exchange.Context.Request.Method);
            json.WriteString("path"u8, Short(exchange.Context.Request.Path.Value));
            if (exchange.Caller is { } caller) json.WriteString("key"u8, caller.Id);
            json.WriteNumber("status"u8, exchange.Status);
            json.WriteString("pool"u8, exchange.Pool!.Label);
            WriteBackend(json, exchange);
            json.WriteString("endpoint"u8, exchange.Endpoint.Address);
            json.WriteString("model"u8, Short(exchange.Facts.Model));
            if (exchange.Model != exchange.Facts.Model) json.WriteString("sent_model"u8, exchange.Model);
            json.WriteBoolean("stream"u8, exchange.Facts.Stream);
            json.WriteNumber("priority"u8, exchange.Priority);
            WriteMs(json, "queue_wait_ms"u8, exchange.QueueWait);
            if (exchange.FirstByteAfter is { } first) WriteMs(json, "ttft_ms"u8, first);
            else json.WriteNull("ttft_ms"u8);
            if (times.PerOutputToken is { } each) WriteMs(json, "tpot_ms"u8, each);
            else json.WriteNull("tpot_ms"u8);
            WriteMs(json, "duration_ms"u8, times.Duration);
            json.WriteNumber("request_bytes"u8, exchange.Body?.Length ?? 0);
            json.WriteNumber("response_bytes"u8, exchange.ResponseBytes);
            json.WriteNumber("prompt_tokens"u8, exchange.Usage.Prompt);
            json.WriteNumber("cached_tokens"u8, exchange.Usage.Cached);
            json.WriteNumber("output_tokens"u8, exchange.Usage.Output);
            json.WriteNumber("attempts"u8, exchange.Attempts);
            json.WriteString("ending"u8, times.Ending);
            json.WriteString("reason"u8, exchange.Failure ?? (exchange.Decision == DecisionReason.None ? null : Refusals.NameOf(exchange.Decision)));
            json.WriteEndObject();
        }

        return buffer;
    }

    private static void WriteBackend(Utf8JsonWriter json, InferenceExchange exchange)
    {
        if (exchange.PeerRegion is { } peer) json.WriteString("forwarded_to"u8, peer);
        if (exchange.Forwarded is { } forwarded) json.WriteString("forwarded_from"u8, forwarded.OriginRegion);
        if (exchange.Placement is not { } placed)
        {
            json.WriteNull("region"u8);
            json.WriteNull("backend"u8);
            return;
        }

        json.WriteString("region"u8, placed.Region);
        if (exchange.PeerRegion is null) json.WriteString("backend"u8, placed.Backend.ToString());
        else json.WriteNull("backend"u8);
    }

    private static void WriteMs(Utf8JsonWriter json, ReadOnlySpan<byte> name, TimeSpan value) =>
        json.WriteNumber(name, Math.Round(value.TotalMilliseconds, 3));

    private static ReadOnlySpan<char> Short(string? text)
    {
        if (text is null || text.Length <= MaxChars) return text;
        // Never between the halves of a surrogate pair.
        return text.AsSpan(0, char.IsHighSurrogate(text[MaxChars - 1]) ? MaxChars - 1 : MaxChars);
    }

    [LoggerMessage(1, LogLevel.Information, "{Json}")]
    private static partial void Line(ILogger log, string json);
}
