using System.Net;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Keys;

/// <summary>
/// Decides by its key whether a request may enter. The key comes as <c>Authorization: Bearer</c>, <c>x-api-key</c> or <c>api-key</c>, the first that is there; it is never logged,
/// told or sent on. Health pages ask for none.
/// </summary>
internal sealed partial class KeyGate : IDisposable
{
    private const string Scheme = "Bearer ";

    private readonly KeyStore? _keys;
    private readonly bool _adminIsOpen;
    private readonly FailedAttempts _failures;
    private readonly ErrorReporter _errors;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <param name="options">Options.</param>
    /// <param name="admin">Administrative address; null without one.</param>
    /// <param name="errors">Answers.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <exception cref="GatewayConfigurationException">The keys cannot be read; the message names each mistake.</exception>
    public KeyGate(KeyOptions options, IPEndPoint? admin, ErrorReporter errors, TimeProvider time, ILoggerFactory loggers)
    {
        _errors = errors;
        _time = time;
        _log = loggers.CreateLogger<KeyGate>();
        _failures = new FailedAttempts(options.FailuresPerMinute, time);
        _adminIsOpen = options.Mode != KeyMode.Required && admin is not null && Loopback.Is(admin.Address);
        AdminPort = admin?.Port;
        if (options.Mode != KeyMode.Off && options.AreConfigured) _keys = new KeyStore(options, time, loggers);
    }

    private int? AdminPort { get; }

    /// <summary>True when keys are asked for.</summary>
    public bool IsClosed => _keys is not null;

    /// <summary>Lets a request in, or answers it.</summary>
    /// <param name="context">Request.</param>
    /// <param name="role">What it needs.</param>
    /// <param name="caller">Who sent it; null where no key is asked for.</param>
    /// <returns>Null when it may enter; else the answer under way.</returns>
    public Task? Refuse(HttpContext context, KeyRoles role, out Caller? caller)
    {
        caller = null;
        if (_keys is null || role == KeyRoles.None || (_adminIsOpen && context.Connection.LocalPort == AdminPort)) return null;
        var keys = _keys.Current;
        var key = KeyOf(context.Request.Headers);
        if (key is null) return Unknown(context, GatewayErrors.MissingKey, "You did not provide an API key. Send it as Authorization: Bearer KEY, x-api-key or api-key.", null);
        var isPast = _failures.IsPast(context.Connection.RemoteIpAddress, out var wait);
        string? reason = null;
        if (keys.Tokens is { } tokens && TokenVerifier.IsToken(key)) (caller, reason) = tokens.Verify(key, mayVerify: !isPast);
        else caller = keys.Keys.Find(key);
        if (caller is not null && caller.NotAfter <= _time.GetUtcNow()) (caller, reason) = (null, "The key has expired.");
        if (caller is null)
        {
            if (_failures.Count(context.Connection.RemoteIpAddress)) ManyFailures(_log, context.Connection.RemoteIpAddress);
            if (isPast) return _errors.RefuseAsync(context, GatewayErrors.TooManyWrongKeys, "Too many wrong keys came from this address.", wait);
            return Unknown(context, GatewayErrors.InvalidKey, reason is null ? "Incorrect API key provided." : $"Incorrect API key provided. {reason}", reason);
        }

        if ((caller.Roles & role) == role) return null;
        var message = $"Key `{caller.Id}` has not the role {NameOf(role)}, which {context.Request.Path.Value} asks for.";
        caller = null;
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"mesh\", error=\"insufficient_scope\"";
        return _errors.RefuseAsync(context, GatewayErrors.RoleMissing, message);
    }

    /// <summary>Role that a request needs.</summary>
    public static KeyRoles RoleFor(ApiKind kind, string method) => kind switch
    {
        // The dashboard's files tell nothing; what they show, they ask for with the key that they are given.
        ApiKind.Health or ApiKind.Ready or ApiKind.Dashboard => KeyRoles.None,
        _ when ApiPaths.IsAdministrative(kind) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? KeyRoles.Reader : KeyRoles.Operator,
        _ => KeyRoles.Inference,
    };

    public void Dispose() => _keys?.Dispose();

    /// <summary>The key that the headers carry; null without one.</summary>
    public static string? KeyOf(IHeaderDictionary headers)
    {
        if (headers.Authorization is [{ } authorization, ..] && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[Scheme.Length..].Trim();
        }

        if (headers.TryGetValue("x-api-key", out var key) && key is [{ Length: > 0 } first, ..]) return first;
        return headers.TryGetValue("api-key", out key) && key is [{ Length: > 0 } second, ..] ? second : null;
    }

    private static string NameOf(KeyRoles role) => role switch
    {
        KeyRoles.Inference => "inference",
        KeyRoles.Reader => "reader",
        _ => "operator",
    };

    private Task Unknown(HttpContext context, GatewayError error, string message, string? reason)
    {
        // RFC 6750: a request without a key learns the scheme alone.
        context.Response.Headers.WWWAuthenticate = error == GatewayErrors.MissingKey
            ? "Bearer realm=\"mesh\""
            : reason is null ? "Bearer realm=\"mesh\", error=\"invalid_token\"" : $"Bearer realm=\"mesh\", error=\"invalid_token\", error_description=\"{reason}\"";
        return _errors.RefuseAsync(context, error, message);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Address} sends wrong keys; for the rest of the minute they are refused without a closer look.")]
    private static partial void ManyFailures(ILogger log, IPAddress? address);
}
