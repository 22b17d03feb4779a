using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Inference.Apis;

namespace Mesh.Gateway.Errors;

/// <summary>
/// Writes errors as the clients of an API expect them: OpenAI's <c>{"error":{"message","type","param","code"}}</c> or Anthropic's
/// <c>{"type":"error","error":{"type","message"},"request_id"}</c>; within a stream as the event that the API has for it.
/// </summary>
internal static class ErrorWriter
{
    /// <summary>Response header: why the gateway itself answered.</summary>
    public const string ReasonHeader = "x-mesh-reason";

    private const int MaxMessageChars = 1024;

    // The page is JSON, never HTML: quotes of names stay readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with the error. The response must not have started; headers set before, such as <c>Allow</c>, are kept.</summary>
    /// <param name="response">Response.</param>
    /// <param name="dialect">Shape.</param>
    /// <param name="error">Row of the table.</param>
    /// <param name="message">What a person is to read.</param>
    /// <param name="retryAfter">Sent in whole seconds, rounded up, when above zero.</param>
    /// <param name="reason">Replaces the row's reason, where the engine gave one.</param>
    public static Task WriteAsync(
        HttpResponse response, ApiDialect dialect, GatewayError error, string message, TimeSpan retryAfter = default, string? reason = null)
    {
        var json = new ArrayBufferWriter<byte>(256);
        if (dialect == ApiDialect.Anthropic) WriteAnthropic(json, error, message, RequestIdOf(response));
        else WriteOpenAi(json, error, message, reason);
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        response.ContentLength = json.WrittenCount;
        response.Headers[ReasonHeader] = reason ?? error.Reason;
        if (retryAfter > TimeSpan.Zero)
        {
            response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return HttpMethods.IsHead(response.HttpContext.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(json.WrittenMemory).AsTask();
    }

    /// <summary>The error as one server-sent event.</summary>
    /// <param name="dialect">Shape.</param>
    /// <param name="error">Row of the table.</param>
    /// <param name="message">What a person is to read.</param>
    /// <param name="place">Where the stream stands.</param>
    public static ReadOnlyMemory<byte> SseEvent(ApiDialect dialect, GatewayError error, string message, in StreamPlace place)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        if (place.IsInsideEvent) buffer.Write("\n\n"u8);
        buffer.Write(dialect == ApiDialect.OpenAi ? "data: "u8 : "event: error\ndata: "u8);
        if (dialect == ApiDialect.Anthropic) WriteAnthropic(buffer, error, message, place.RequestId);
        else if (dialect == ApiDialect.Responses) WriteResponsesEvent(buffer, error, message, place.NextSequence);
        else WriteOpenAi(buffer, error, message, null);
        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private static string? RequestIdOf(HttpResponse response) => response.Headers.TryGetValue(RequestIds.Header, out var id) ? id.ToString() : null;

    private static void WriteOpenAi(ArrayBufferWriter<byte> buffer, GatewayError error, string message, string? reason)
    {
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, Bounded(message));
        json.WriteString("type"u8, error.Type);
        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, reason ?? error.Reason);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAnthropic(ArrayBufferWriter<byte> buffer, GatewayError error, string message, string? requestId)
    {
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, AnthropicTypes.For(error.Status));
        json.WriteString("message"u8, Bounded(message));
        json.WriteEndObject();
        json.WriteString("request_id"u8, requestId);
        json.WriteEndObject();
    }

    private static void WriteResponsesEvent(ArrayBufferWriter<byte> buffer, GatewayError error, string message, long sequence)
    {
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteString("code"u8, error.Reason);
        json.WriteString("message"u8, Bounded(message));
        json.WriteString("param"u8, error.Param);
        json.WriteNumber("sequence_number"u8, sequence);
        json.WriteEndObject();
    }

    private static string Bounded(string message)
    {
        if (message.Length <= MaxMessageChars) return message;
        // Never cut between the halves of a surrogate pair.
        var end = char.IsHighSurrogate(message[MaxMessageChars - 1]) ? MaxMessageChars - 1 : MaxMessageChars;
        return new StringBuilder(message, 0, end, end + 1).Append('…').ToString();
    }
}
