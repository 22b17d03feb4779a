using System.Text;

namespace Mesh.Gateway.Hosting;

/// <summary><c>/healthz</c>: the process answers. <c>/readyz</c>: it should get requests.</summary>
internal sealed class HealthPages(Readiness readiness)
{
    public Task HealthAsync(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, "ok\n");

    public Task ReadyAsync(HttpContext context) => readiness.WhyNot() is { } reason
        ? WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}\n")
        : WriteAsync(context, StatusCodes.Status200OK, readiness.Warning is { } warning ? $"ready\nwarning: {warning}\n" : "ready\n");

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes).AsTask();
    }
}
