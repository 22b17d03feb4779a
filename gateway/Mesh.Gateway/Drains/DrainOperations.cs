using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Resources.Reading;

namespace Mesh.Gateway.Drains;

/// <summary>Begins and ends drains: checks what is asked, puts it in force, keeps it, and logs who did what. One at a time.</summary>
internal sealed partial class DrainOperations(DrainBook book, ActiveConfiguration configuration, IMeshEngine engine, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger<DrainOperations>();
    private readonly Lock _gate = new();

    /// <summary>The drains in force.</summary>
    public DrainList Current => book.Current;

    /// <summary>File that they are kept in; null without one.</summary>
    public string? FilePath => book.FilePath;

    /// <summary>Begins a drain; one that the target has already gets the new reason.</summary>
    public DrainResult Begin(DrainTarget target, string reason, string by, bool force)
    {
        lock (_gate)
        {
            if (Unknown(target) is { } unknown) return unknown;
            var before = book.Current;
            var isNew = before.Find(target) is null;
            if (isNew && before.Drains.Length >= DrainList.MostDrains)
                return DrainResult.Refused(DrainOutcome.TooMany, $"{DrainList.MostDrains} drains are in force already; end some of them first.");
            var drain = new Drain(target, reason, by, time.GetUtcNow());
            var next = before.With(drain, force);
            if (!force && WouldEmpty(next.Drains) is { Count: > 0 } emptied)
            {
                return DrainResult.Refused(
                    DrainOutcome.LastEndpoint,
                    $"Draining {target} would leave {string.Join(", ", emptied)} without a ready endpoint: its requests would be refused. Say force to do it all the same.");
            }

            var warning = book.Set(next);
            configuration.Reapply();
            Began(_log, target, by, reason, force);
            return new DrainResult(isNew ? DrainOutcome.Begun : DrainOutcome.Changed, warning) { Drain = drain };
        }
    }

    /// <summary>Ends a drain.</summary>
    public DrainResult End(DrainTarget target, string reason, string by)
    {
        lock (_gate)
        {
            var before = book.Current;
            if (before.Find(target) is not { } drain)
            {
                var others = string.Join("; ", before.Drains.Where(d => d.Target.Name == target.Name).Select(d => d.Target));
                return DrainResult.Refused(
                    DrainOutcome.NotDrained,
                    $"There is no drain of {target}. {(others.Length > 0 ? $"There is one of {others}." : before.Drains.IsEmpty ? "Nothing is drained." : $"Drained are: {Names(before.Drains.Select(d => d.Target.ToString()))}.")}");
            }

            var warning = book.Set(before.Without(target, reason, by, time.GetUtcNow()));
            configuration.Reapply();
            Ended(_log, target, by, reason.Length == 0 ? "no reason told" : reason);
            return new DrainResult(DrainOutcome.Ended, warning) { Drain = drain };
        }
    }

    private DrainResult? Unknown(DrainTarget target)
    {
        var pools = configuration.Current.Config.Pools;
        if (target.Pool is { } pool && !pools.Any(p => p.Id.ToString() == pool))
            return NotFound("pool", pool, pools.Select(p => p.Id.ToString()));
        var names = pools.Where(p => target.Pool is null || p.Id.ToString() == target.Pool).SelectMany(p => p.Backends).SelectMany(b => target.Kind switch
        {
            DrainKind.Endpoint => b.Endpoints.Select(e => e.Id.Address),
            DrainKind.Cluster => [b.Id.Cluster],
            _ => [b.Region],
        });
        var known = names.Distinct().Order(StringComparer.Ordinal).ToList();
        return known.Contains(target.Name) ? null : NotFound(DrainKinds.NameOf(target.Kind), target.Name, known);
    }

    private static DrainResult NotFound(string what, string name, IEnumerable<string> known)
    {
        var names = known.ToList();
        var nearest = NearestName.Of(name, names);
        return DrainResult.Refused(
            DrainOutcome.Unknown, $"There is no {what} {name}{(nearest is null ? "." : $"; did you mean {nearest}?")} There {(names.Count == 1 ? "is" : "are")} {Names(names)}.");
    }

    private static string Names(IEnumerable<string> names)
    {
        const int Most = 20;
        var all = names.ToList();
        return all.Count == 0 ? "none" : string.Join(", ", all.Take(Most)) + (all.Count > Most ? $" and {all.Count - Most} more" : "");
    }

    /// <summary>Pools that have a ready endpoint now and would have none.</summary>
    private List<string> WouldEmpty(ImmutableArray<Drain> drains)
    {
        var ready = new HashSet<(PoolId, EndpointId)>();
        foreach (var pool in engine.Snapshot())
        {
            foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints))
            {
                if (endpoint is { Health: EndpointHealth.Healthy, Draining: false, Drained: false }) ready.Add((pool.Id, endpoint.Id));
            }
        }

        var emptied = new List<string>();
        foreach (var pool in DrainOverlay.Apply(configuration.Declared, drains).Pools)
        {
            var had = false;
            var keeps = false;
            foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints))
            {
                if (!ready.Contains((pool.Id, endpoint.Id))) continue;
                had = true;
                keeps |= !endpoint.Drained;
            }

            if (had && !keeps) emptied.Add($"pool {pool.Id}");
        }

        return emptied;
    }

    [LoggerMessage(1, LogLevel.Information, "Drained {Target}, by {By}: {Reason} (forced: {Forced})")]
    private static partial void Began(ILogger log, DrainTarget target, string by, string reason, bool forced);

    [LoggerMessage(2, LogLevel.Information, "Undrained {Target}, by {By}: {Reason}")]
    private static partial void Ended(ILogger log, DrainTarget target, string by, string reason);
}

/// <summary>How a drain's beginning or end came out.</summary>
internal enum DrainOutcome
{
    /// <summary>It is in force.</summary>
    Begun,

    /// <summary>It was in force, and has its new reason.</summary>
    Changed,

    /// <summary>It is over.</summary>
    Ended,

    /// <summary>The configuration has nothing of that name.</summary>
    Unknown,

    /// <summary>There is no such drain.</summary>
    NotDrained,

    /// <summary>A pool would lose its last ready endpoint, and nobody said force.</summary>
    LastEndpoint,

    /// <summary>As many are in force as may be.</summary>
    TooMany,
}

/// <summary>The outcome, and what a person is to read: the warning of one that is in force, the message of one that was refused.</summary>
internal sealed record DrainResult(DrainOutcome Outcome, string? Message)
{
    /// <summary>The drain that began, changed or ended; null when it was refused.</summary>
    public Drain? Drain { get; init; }

    /// <summary>A refusal.</summary>
    public static DrainResult Refused(DrainOutcome outcome, string message) => new(outcome, message);
}
