using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Dashboard;

/// <summary>
/// <c>/dashboard</c>: the files of the dashboard, which stand inside this assembly. They are the same for everybody and tell nothing; what the pages show, they ask the
/// administrative API for. Nothing is loaded from another host, and the pages forbid it.
/// </summary>
internal sealed class DashboardPages
{
    /// <summary>Where it begins.</summary>
    public const string Path = "/dashboard";

    private const string ResourcePrefix = "dashboard/";

    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, DashboardFile> Files = Load();

    private readonly ErrorReporter _errors;

    /// <param name="errors">Answers to paths that are not there.</param>
    public DashboardPages(ErrorReporter errors) => _errors = errors;

    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == Path)
        {
            // Relative names in the page need the slash.
            context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
            context.Response.Headers.Location = Path + "/";
            return Task.CompletedTask;
        }

        var name = path.Length == Path.Length + 1 ? "index.html" : path[(Path.Length + 1)..];
        if (!Files.TryGetValue(name, out var file)) return _errors.RefuseAsync(context, GatewayErrors.UnknownPath, $"The dashboard has no file {name}.");
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ETag = file.Tag;
        // Kept, but asked for each time: the next version of the gateway brings other files under the same names.
        headers.CacheControl = "no-cache";
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        context.Response.ContentType = file.Type;
        context.Response.ContentLength = file.Bytes.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(file.Bytes).AsTask();
    }

    private static FrozenDictionary<string, DashboardFile> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, DashboardFile>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(ResourcePrefix, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var name = resource[ResourcePrefix.Length..].Replace('\\', '/');
            files.Add(name, new DashboardFile(TypeOf(name), bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\""));
        }

        return files.ToFrozenDictionary();
    }

    private static string TypeOf(string name) => System.IO.Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private sealed record DashboardFile(string Type, byte[] Bytes, string Tag);
}
