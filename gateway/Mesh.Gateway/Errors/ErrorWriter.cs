using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mesh.Gateway.Errors;

/// <summary>Writes errors in OpenAI's shape: <c>{"error":{"message","type","param","code"}}</c>.</summary>
internal static class ErrorWriter
{
    private const int MaxMessageChars = 1024;

    // The page is JSON, never HTML: quotes of names stay readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with the error. The response must not have started; headers set before, such as <c>Allow</c>, are kept.</summary>
    /// <param name="response">Response.</param>
    /// <param name="error">Row of the table.</param>
    /// <param name="message">What a person is to read.</param>
    /// <param name="retryAfter">Sent in whole seconds, rounded up, when above zero.</param>
    /// <param name="reason">Replaces the row's reason, where the engine gave one.</param>
    public static Task WriteAsync(HttpResponse response, GatewayError error, string message, TimeSpan retryAfter = default, string? reason = null)
    {
        var json = Json(error, message, reason);
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        response.ContentLength = json.WrittenCount;
        response.Headers["x-mesh-reason"] = reason ?? error.Reason;
        if (retryAfter > TimeSpan.Zero)
        {
            response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return HttpMethods.IsHead(response.HttpContext.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(json.WrittenMemory).AsTask();
    }

    /// <summary>The error as one server-sent event.</summary>
    /// <param name="error">Row of the table.</param>
    /// <param name="message">What a person is to read.</param>
    /// <param name="closeLine">True when the stream stands within a line or an event, which must be ended first.</param>
    public static ReadOnlyMemory<byte> SseEvent(GatewayError error, string message, bool closeLine)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        if (closeLine) buffer.Write("\n\n"u8);
        buffer.Write("data: "u8);
        WriteJson(buffer, error, message, null);
        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private static ArrayBufferWriter<byte> Json(GatewayError error, string message, string? reason)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteJson(buffer, error, message, reason);
        return buffer;
    }

    private static void WriteJson(ArrayBufferWriter<byte> buffer, GatewayError error, string message, string? reason)
    {
        if (message.Length > MaxMessageChars) message = Shorten(message);
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, message);
        json.WriteString("type"u8, error.Type);
        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, reason ?? error.Reason);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Shorten(string message)
    {
        // Never cut between the halves of a surrogate pair.
        var end = char.IsHighSurrogate(message[MaxMessageChars - 1]) ? MaxMessageChars - 1 : MaxMessageChars;
        return new StringBuilder(message, 0, end, end + 1).Append('…').ToString();
    }
}
