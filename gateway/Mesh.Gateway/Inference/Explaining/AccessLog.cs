using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Core.HttpRouting;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Inference.Explaining;

/// <summary>One JSON line for each request that the pool's <c>logging.sampleRate</c> picks. Prompts, keys and queries never stand there.</summary>
internal sealed partial class AccessLog(ILoggerFactory loggers, RequestDraw draw, TimeProvider time)
{
    /// <summary>Category of the logger.</summary>
    public const string Category = "Mesh.AccessLog";

    // What a client may write as long as it likes.
    private const int MaxChars = 256;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ILogger _log = loggers.CreateLogger(Category);

    /// <summary>Writes a request that has ended, if it is picked.</summary>
    public void Write(InferenceExchange exchange)
    {
        if (exchange.Pool?.Config.LogSampleRatio is not { } ratio || ratio <= 0) return;
        if ((ratio < 1 && draw.NextRatio() >= ratio) || !_log.IsEnabled(LogLevel.Information)) return;
        Line(_log, Json(exchange));
    }

    private string Json(InferenceExchange exchange)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, time.GetUtcNow());
            json.WriteString("request_id"u8, exchange.RequestId);
            json.WriteString("method"u8, exchange.Context.Request.Method);
            json.WriteString("path"u8, Short(exchange.Context.Request.Path.Value));
            json.WriteNumber("status"u8, exchange.Status);
            json.WriteString("pool"u8, exchange.Pool!.Label);
            json.WriteString("endpoint"u8, exchange.Endpoint.Address);
            json.WriteString("model"u8, Short(exchange.Facts.Model));
            if (exchange.Model != exchange.Facts.Model) json.WriteString("sent_model"u8, exchange.Model);
            json.WriteNumber("priority"u8, exchange.Priority);
            WriteMs(json, "queue_wait_ms"u8, exchange.QueueWait);
            if (exchange.FirstByteAfter is { } first) WriteMs(json, "ttft_ms"u8, first);
            else json.WriteNull("ttft_ms"u8);
            WriteMs(json, "duration_ms"u8, exchange.Lifetime.Elapsed);
            json.WriteNumber("request_bytes"u8, exchange.Body?.Length ?? 0);
            json.WriteNumber("response_bytes"u8, exchange.ResponseBytes);
            json.WriteNumber("prompt_tokens"u8, exchange.Usage.Prompt);
            json.WriteNumber("cached_tokens"u8, exchange.Usage.Cached);
            json.WriteNumber("output_tokens"u8, exchange.Usage.Output);
            json.WriteNumber("attempts"u8, exchange.Attempts);
            json.WriteString("ending"u8, exchange.Ending);
            json.WriteString("reason"u8, exchange.Failure ?? (exchange.Decision == DecisionReason.None ? null : Refusals.NameOf(exchange.Decision)));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
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
