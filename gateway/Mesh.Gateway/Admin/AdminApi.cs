using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Gateway.Admin.Live;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Admin;

/// <summary>
/// The administrative API, <c>/api/v1/…</c>: the state of the mesh as JSON, and as server-sent events. What it reads it never changes; parts that change something are
/// handed in. The README beside this file has every path and field.
/// </summary>
internal sealed class AdminApi
{
    /// <summary>Where it begins.</summary>
    public const string Prefix = "/api/v1";

    private static readonly string Version = typeof(AdminApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    private readonly AdminServices _services;
    private readonly AdminAccess _access;
    private readonly DecisionPages _decisions;
    private readonly ImmutableArray<IAdminPart> _parts;
    private readonly EventStreams _streams;
    private readonly LiveFeed _feed;
    private readonly IReadOnlyDictionary<string, IAdminList> _lists;
    private readonly DateTimeOffset _startedAt;
    private readonly long _started;

    /// <param name="services">What it reads from.</param>
    /// <param name="access">Who may call it.</param>
    /// <param name="decisions">Decisions that were kept.</param>
    /// <param name="parts">Parts of other folders.</param>
    /// <param name="stopping">Ends its streams.</param>
    public AdminApi(AdminServices services, AdminAccess access, DecisionPages decisions, ImmutableArray<IAdminPart> parts, CancellationToken stopping)
    {
        _services = services;
        _access = access;
        _decisions = decisions;
        _parts = parts;
        _streams = new EventStreams(services.Errors, stopping);
        _feed = new LiveFeed(services, stopping);
        _lists = AdminLists.Create(services, _streams);
        _startedAt = services.Time.GetUtcNow();
        _started = services.Time.GetTimestamp();
    }

    /// <summary>The live state, for tests.</summary>
    internal LiveFeed Feed => _feed;

    /// <summary>Answers a request below <see cref="Prefix"/> whose key has been looked at.</summary>
    public Task HandleAsync(HttpContext context, Caller? caller)
    {
        if (_access.WhyNot(context, caller) is { } refusal) return _services.Errors.RefuseAsync(context, GatewayErrors.NotAllowed, refusal);
        var path = context.Request.Path.Value!;
        foreach (var part in _parts)
        {
            if (part.Owns(path)) return part.HandleAsync(context, caller);
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return _services.Errors.RefuseAsync(context, GatewayErrors.MethodNotAllowed, $"{path} takes GET and HEAD.");
        }

        var name = path.Length > Prefix.Length ? path[(Prefix.Length + 1)..] : "";
        if (_lists.TryGetValue(name, out var list)) return list.HandleAsync(context);
        return name switch
        {
            "state" => AdminAnswer.WriteAsync(context, State(caller), AdminJson.Readable.StateShape),
            "configuration" => AdminAnswer.WriteAsync(context, _services.Journal.Read(), AdminJson.Readable.ConfigurationShape),
            "leases" => LeasesAsync(context),
            "history" => HistoryAsync(context),
            "events" => _streams.RunAsync(context, _feed.FollowAsync),
            "decisions" => _decisions.HandleAsync(context, caller),
            _ when name.StartsWith("decisions/", StringComparison.Ordinal) => _decisions.HandleAsync(context, caller),
            _ when name.StartsWith("pools/", StringComparison.Ordinal) => PoolAsync(context, name["pools/".Length..]),
            _ => _services.Errors.RefuseAsync(
                context, GatewayErrors.UnknownPath,
                $"Unknown path {path}; there are state, {string.Join(", ", _lists.Keys)}, pools/NAMESPACE/NAME, leases, decisions, history, configuration and events below {Prefix}."),
        };
    }

    private StateShape State(Caller? caller)
    {
        var reading = _services.Reader.Read();
        var load = new Load();
        foreach (var pool in reading.Pools)
        {
            foreach (var backend in pool.Backends) load.Add(backend);
        }

        var whyNot = _services.Readiness.WhyNot(reading.Pools);
        return new StateShape
        {
            Version = Version,
            Gateway = _services.Engine.Session.ToString(),
            Region = reading.Routing.Region,
            Time = _services.Time.GetUtcNow(),
            StartedAt = _startedAt,
            UptimeSeconds = Rounded.Or0(_services.Time.GetElapsedTime(_started).TotalSeconds),
            ConfigurationVersion = reading.Routing.Config.Version,
            Ready = whyNot is null,
            NotReadyReason = whyNot,
            Warning = _services.Readiness.Warning,
            AsksForKey = caller is not null,
            OpenRequests = _services.OpenRequests(),
            Pools = reading.Pools.Length,
            Endpoints = load.Endpoints,
            ReadyEndpoints = load.Ready,
            QueuedRequests = reading.Pools.Sum(PoolView.QueuedIn),
            Leases = reading.Pools.Sum(p => p.Leases),
        };
    }

    private Task PoolAsync(HttpContext context, string name)
    {
        var reading = _services.Reader.Read();
        if (PoolView.Find(reading.Routing.Config, name) is not { } id || reading.Pool(id) is not { } pool) return UnknownPoolAsync(context, name, reading);
        return AdminAnswer.WriteAsync(context, PoolView.Of(reading, pool, _services.Latencies, withSettings: true), AdminJson.Readable.PoolShape);
    }

    private Task LeasesAsync(HttpContext context)
    {
        if (AdminQuery.Read(context.Request.Query, ["pool", "endpoint", "session"], [], out var problem) is not { } query)
        {
            return _services.Errors.RefuseAsync(context, GatewayErrors.InvalidQuery, problem);
        }

        var reading = _services.Reader.Read();
        PoolId? pool = null;
        if (query["pool"] is { } name && (pool = PoolView.Find(reading.Routing.Config, name)) is null) return UnknownPoolAsync(context, name, reading);
        EndpointId? endpoint = query["endpoint"] is { } address ? new EndpointId(address) : null;
        GatewaySession? session = null;
        if (query["session"] is { } text && (session = SessionOf(text)) is null)
        {
            return _services.Errors.RefuseAsync(context, GatewayErrors.InvalidQuery, $"session is {text}; it must be gateway@epoch.");
        }

        return AdminAnswer.WriteAsync(
            context, LeaseView.Of(reading, _services.Engine, pool, endpoint, session, query.Limit), AdminJson.Readable.LeasesShape);
    }

    private Task HistoryAsync(HttpContext context)
    {
        var query = context.Request.Query;
        PoolId? pool = null;
        if (query["pool"] is [{ Length: > 0 } name])
        {
            var reading = _services.Reader.Read();
            if ((pool = PoolView.Find(reading.Routing.Config, name)) is null) return UnknownPoolAsync(context, name, reading);
        }

        long? since = null;
        if (query["since"] is [{ Length: > 0 } text])
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step) || step == long.MaxValue)
            {
                return _services.Errors.RefuseAsync(context, GatewayErrors.InvalidQuery, $"since is {text}; it must be the number of a step.");
            }

            since = step;
        }

        return AdminAnswer.WriteAsync(context, _services.History.Read(pool, since), AdminJson.Readable.HistoryShape);
    }

    private Task UnknownPoolAsync(HttpContext context, string name, MeshReading reading) => _services.Errors.RefuseAsync(
        context, GatewayErrors.UnknownPool, $"There is no pool {name}; pools are {string.Join(", ", reading.Routing.Config.Pools.Select(p => p.Id))}.");

    private static GatewaySession? SessionOf(string text)
    {
        var at = text.LastIndexOf('@');
        return at > 0 && long.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? new GatewaySession(text[..at], epoch) : null;
    }
}
