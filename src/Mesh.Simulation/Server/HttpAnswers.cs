using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server;

/// <summary>Small writers of whole responses.</summary>
internal static class HttpAnswers
{
    public const string JsonType = "application/json";

    public static Task SendAsync(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    public static Task SendEmptyAsync(HttpContext context)
    {
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    public static async Task SendErrorAsync(HttpContext context, ApiError error)
    {
        using var buffer = new PooledBuffer();
        using (var json = Json.Writer(buffer))
        {
            var isAnthropic = context.Request.Path.StartsWithSegments("/v1/messages", StringComparison.Ordinal);
            json.WriteStartObject();
            if (isAnthropic) json.WriteString("type"u8, "error"u8);
            json.WriteStartObject("error"u8);
            json.WriteString("message"u8, error.Message);
            json.WriteString("type"u8, error.Type);
            if (!isAnthropic)
            {
                json.WriteString("param"u8, error.Param);
                json.WriteNumber("code"u8, error.Status);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        await SendAsync(context, error.Status, JsonType, buffer.WrittenMemory);
    }

    /// <summary>Reads the body as JSON, or says what is wrong with it.</summary>
    public static async Task<(JsonDocument? Document, ApiError? Error)> ReadJsonAsync(HttpContext context, long maxBytes)
    {
        try
        {
            return (await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted), null);
        }
        catch (JsonException e)
        {
            return (null, ApiError.BadRequest($"The body is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."));
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, ApiError.BodyTooLarge(maxBytes));
        }
    }
}
