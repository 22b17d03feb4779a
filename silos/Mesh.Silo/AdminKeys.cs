using System.Net;
using System.Text;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Metrics;

namespace Mesh.Silo;

/// <summary>
/// Asks for keys at the silo's administrative listener as a gateway does at its own (<c>Mesh:Keys</c>): readers see, operators change, health needs none. Browsers,
/// which cannot be told to send a header, may give the key as the password of HTTP Basic.
/// </summary>
internal sealed class AdminKeys : IDisposable
{
    private const string Basic = "Basic ";
    private readonly KeyGate _gate;

    /// <param name="options">The keys.</param>
    /// <param name="address">The listener.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <exception cref="GatewayConfigurationException">The keys cannot be read; the message names each mistake.</exception>
    public AdminKeys(KeyOptions options, IPEndPoint address, TimeProvider time, ILoggerFactory loggers) =>
        _gate = new KeyGate(options, address, new ErrorReporter(new GatewayMetrics()), time, loggers);

    /// <summary>Lets a request on, or answers it.</summary>
    public Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        var role = path == "/healthz" || path == "/readyz" ? KeyRoles.None
            : HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) ? KeyRoles.Reader : KeyRoles.Operator;
        if (KeyOf(context.Request.Headers.Authorization) is { } password) context.Request.Headers.Authorization = $"Bearer {password}";
        if (_gate.Refuse(context, role, out _) is not { } answer) return next(context);
        if (path.StartsWithSegments("/dashboard")) context.Response.Headers.Append("WWW-Authenticate", "Basic realm=\"mesh\", charset=\"UTF-8\"");
        return answer;
    }

    public void Dispose() => _gate.Dispose();

    private static string? KeyOf(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return null;
        var buffer = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization[Basic.Length..].Trim(), buffer, out var length)) return null;
        var pair = Encoding.UTF8.GetString(buffer, 0, length);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : pair[(colon + 1)..];
    }
}
