using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mesh.Gateway.Admin;

/// <summary>Writes answers of the administrative API.</summary>
internal static class AdminAnswer
{
    /// <summary>Answers with JSON that nobody keeps.</summary>
    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes).AsTask();
    }
}
