using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Engine;
using Mesh.Gateway.Admin;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Drains;

/// <summary>
/// <c>GET /api/v1/drains</c>, <c>POST /api/v1/drains</c> and <c>DELETE /api/v1/drains/{kind}/{name}?pool=&amp;reason=</c>. Changes ask for the role operator; where no key is asked
/// for, they are taken from this machine alone.
/// </summary>
internal sealed class DrainPages(DrainOperations drains, IMeshEngine engine, ActiveConfiguration configuration, ErrorReporter errors) : IAdminPart
{
    /// <summary>Path of the list.</summary>
    public const string Path = "/api/v1/drains";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public bool Owns(string path) => path == Path || path.StartsWith(Path + "/", StringComparison.Ordinal);

    /// <inheritdoc/>
    public Task HandleAsync(HttpContext context, Caller? caller)
    {
        var method = context.Request.Method;
        if (caller is null && !ExplainAccess.IsLoopback(context.Connection.RemoteIpAddress) && !IsRead(method))
        {
            return errors.RefuseAsync(context, GatewayErrors.NotAllowed, "Without keys, drains are changed from the gateway's machine alone; configure keys, one with the role operator.");
        }

        var path = context.Request.Path.Value!;
        var isList = path.Length == Path.Length;
        if (isList && HttpMethods.IsPost(method)) return BeginAsync(context, caller);
        if (isList && IsRead(method)) return AnswerAsync(context, StatusCodes.Status200OK, WriteList);
        if (!isList && HttpMethods.IsDelete(method)) return EndAsync(context, caller, path[(Path.Length + 1)..]);
        context.Response.Headers.Allow = isList ? "GET, HEAD, POST" : "DELETE";
        return errors.RefuseAsync(context, GatewayErrors.MethodNotAllowed, $"{path} takes {context.Response.Headers.Allow}.");
    }

    private static bool IsRead(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    private async Task BeginAsync(HttpContext context, Caller? caller)
    {
        // Pages of other sites can send forms here, but not this type.
        if (!context.Request.HasJsonContentType())
        {
            await errors.RefuseAsync(context, GatewayErrors.InvalidDrain, "The body must be JSON: Content-Type: application/json.");
            return;
        }

        var body = new byte[DrainRequest.MaxBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length > DrainRequest.MaxBytes)
        {
            await errors.RefuseAsync(context, GatewayErrors.BodyTooLarge, $"The body has more than {DrainRequest.MaxBytes} bytes.");
            return;
        }

        if (DrainRequest.Read(body.AsSpan(0, length), out var target, out var mistake) is not { } request)
        {
            await errors.RefuseAsync(context, GatewayErrors.InvalidDrain, mistake);
            return;
        }

        await ToldAsync(context, drains.Begin(target, request.Reason!.Trim(), WhoIs(context, caller, request.By), request.Force));
    }

    private Task EndAsync(HttpContext context, Caller? caller, string rest)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == rest.Length - 1 || !DrainKinds.TryParse(rest[..slash], out var kind))
        {
            return errors.RefuseAsync(context, GatewayErrors.InvalidDrain, $"The path must be {Path}/KIND/NAME, and KIND one of {DrainKinds.Names}.");
        }

        var query = context.Request.Query;
        var pool = query["pool"] is [{ Length: > 0 } named] ? named : null;
        var reason = query["reason"] is [{ Length: <= DrainRequest.MaxReasonChars } told] ? told.Trim() : "";
        var by = query["by"] is [{ Length: > 0 } user] ? user : null;
        return ToldAsync(context, drains.End(new DrainTarget(kind, rest[(slash + 1)..], pool), reason, WhoIs(context, caller, by)));
    }

    private static string WhoIs(HttpContext context, Caller? caller, string? told)
    {
        const int MaxChars = 64;
        if (caller is not null) return caller.Id;
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        return string.IsNullOrWhiteSpace(told) ? address : $"{(told.Length > MaxChars ? told[..MaxChars] : told)} ({address})";
    }

    private Task ToldAsync(HttpContext context, DrainResult result) => result.Outcome switch
    {
        DrainOutcome.Begun => AnswerAsync(context, StatusCodes.Status201Created, json => WriteChange(json, result)),
        DrainOutcome.Changed or DrainOutcome.Ended => AnswerAsync(context, StatusCodes.Status200OK, json => WriteChange(json, result)),
        DrainOutcome.Unknown => errors.RefuseAsync(context, GatewayErrors.UnknownTarget, result.Message!),
        DrainOutcome.NotDrained => errors.RefuseAsync(context, GatewayErrors.NotDrained, result.Message!),
        DrainOutcome.LastEndpoint => errors.RefuseAsync(context, GatewayErrors.LastEndpoint, result.Message!),
        _ => errors.RefuseAsync(context, GatewayErrors.TooManyDrains, result.Message!),
    };

    private void WriteChange(Utf8JsonWriter json, DrainResult result)
    {
        json.WriteStartObject();
        json.WritePropertyName("drain"u8);
        WriteDrain(json, result.Drain!);
        json.WriteBoolean("drained"u8, result.Outcome != DrainOutcome.Ended);
        json.WriteBoolean("persisted"u8, result.Message is null);
        if (result.Message is not null) json.WriteString("warning"u8, result.Message);
        json.WriteEndObject();
    }

    private void WriteList(Utf8JsonWriter json)
    {
        var list = drains.Current;
        json.WriteStartObject();
        json.WriteStartArray("drains"u8);
        foreach (var drain in list.Drains) WriteDrain(json, drain);
        json.WriteEndArray();
        json.WriteStartArray("history"u8);
        foreach (var done in list.History)
        {
            json.WriteStartObject();
            json.WriteString("time"u8, done.Time);
            json.WriteString("action"u8, done.Drained ? "drain" : "undrain");
            WriteTarget(json, done.Target);
            json.WriteString("reason"u8, done.Reason);
            json.WriteString("by"u8, done.By);
            if (done.Forced) json.WriteBoolean("forced"u8, true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("file"u8, drains.FilePath);
        json.WriteEndObject();
    }

    private void WriteDrain(Utf8JsonWriter json, Drain drain)
    {
        var (endpoints, inFlight) = Count(drain.Target);
        json.WriteStartObject();
        WriteTarget(json, drain.Target);
        json.WriteString("reason"u8, drain.Reason);
        json.WriteString("by"u8, drain.By);
        json.WriteString("since"u8, drain.Since);
        json.WriteNumber("endpoints"u8, endpoints);
        json.WriteNumber("inFlightRequests"u8, inFlight);
        json.WriteEndObject();
    }

    private static void WriteTarget(Utf8JsonWriter json, DrainTarget target)
    {
        json.WriteString("kind"u8, DrainKinds.NameOf(target.Kind));
        json.WriteString("name"u8, target.Name);
        if (target.Pool is not null) json.WriteString("pool"u8, target.Pool);
    }

    // What the drain holds now, and what has still to end there: each address once, though it may be in several pools.
    private (int Endpoints, int InFlight) Count(DrainTarget target)
    {
        var covered = new HashSet<(string Pool, string Address)>();
        var addresses = new HashSet<string>();
        foreach (var pool in configuration.Current.Config.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                foreach (var endpoint in backend.Endpoints)
                {
                    if (!target.Covers(pool, backend, endpoint)) continue;
                    covered.Add((pool.Id.ToString(), endpoint.Id.Address));
                    addresses.Add(endpoint.Id.Address);
                }
            }
        }

        var inFlight = 0;
        foreach (var pool in engine.Snapshot())
        {
            var name = pool.Id.ToString();
            foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints))
            {
                if (covered.Contains((name, endpoint.Id.Address))) inFlight += endpoint.InFlightRequests;
            }
        }

        return (addresses.Count, inFlight);
    }

    private static Task AnswerAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(bytes, Options)) write(json);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes.WrittenMemory).AsTask();
    }
}
