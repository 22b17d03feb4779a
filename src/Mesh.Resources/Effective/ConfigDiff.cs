using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.Config;

namespace Mesh.Resources.Effective;

/// <summary>Everything that an edit changes in effect: clusters, gateways, routes, objectives, pools and their backends.</summary>
public static class ConfigDiff
{
    private const int MaxNamedEndpoints = 20;

    /// <summary>Every difference, ordered by kind and name; empty when nothing changes in effect.</summary>
    /// <param name="before">The old configuration, without errors.</param>
    /// <param name="after">The new one, without errors.</param>
    /// <exception cref="ArgumentException">One of the two has errors.</exception>
    public static ImmutableArray<ConfigChange> Compare(LoadResult before, LoadResult after)
    {
        var old = before.Config ?? throw new ArgumentException("The old configuration has errors.", nameof(before));
        var now = after.Config ?? throw new ArgumentException("The new configuration has errors.", nameof(after));
        var changes = ImmutableArray.CreateBuilder<ConfigChange>();
        Add(changes, "cluster", old.Clusters, now.Clusters, c => c.Name, ConfigText.Of);
        Add(changes, "gateway", old.Gateways, now.Gateways, g => $"{g.Namespace}/{g.Name}", ConfigText.Of);
        Add(changes, "route", old.Routes, now.Routes, r => $"{r.Namespace}/{r.Name}", RouteText.Of);
        Add(changes, "objective", old.Objectives, now.Objectives, o => $"{o.Namespace}/{o.Name}", ConfigText.Of);

        var settings = EffectiveDiff.Compare(before.Effective, after.Effective).ToLookup(c => c.Pool);
        foreach (var id in old.Pools.Concat(now.Pools).Select(p => p.Id).Distinct().Order())
        {
            changes.AddRange(
                settings[id.ToString()].Select(c => new ConfigChange("pool", c.Pool, c.Backend, c.Name, c.Before, c.After, c.Origin)));
            if (old.Pools.FirstOrDefault(p => p.Id == id) is { } oldPool
                && now.Pools.FirstOrDefault(p => p.Id == id) is { } pool)
                AddPool(changes, oldPool, pool);
        }

        return changes.ToImmutable();
    }

    private static void Add<T>(
        ImmutableArray<ConfigChange>.Builder changes, string kind, ImmutableArray<T> before, ImmutableArray<T> after,
        Func<T, string> name, Func<T, IEnumerable<(string Name, string Value)>> describe)
        where T : class
    {
        foreach (var subject in before.Concat(after).Select(name).Distinct().Order(StringComparer.Ordinal))
        {
            var old = before.FirstOrDefault(o => name(o) == subject);
            var now = after.FirstOrDefault(o => name(o) == subject);
            if (old is null || now is null)
                changes.Add(new ConfigChange(
                    kind, subject, null, kind, old is null ? null : "present", now is null ? null : "present", null));
            if (now is not null) AddSettings(changes, kind, subject, null, old is null ? [] : describe(old), describe(now));
        }
    }

    private static void AddPool(ImmutableArray<ConfigChange>.Builder changes, PoolConfig before, PoolConfig after)
    {
        var subject = after.Id.ToString();
        AddSettings(changes, "pool", subject, null, ConfigText.Rewrites(before), ConfigText.Rewrites(after));
        foreach (var backend in after.Backends)
        {
            if (before.Backends.FirstOrDefault(b => b.Id == backend.Id) is not { } old) continue;
            var id = backend.Id.ToString();
            AddSettings(changes, "pool", subject, id, ConfigText.Metrics(old), ConfigText.Metrics(backend));
            AddSettings(changes, "pool", subject, id, Endpoints(old, backend), Endpoints(backend, old));
        }
    }

    /// <summary>Endpoints of a backend that another version of it lacks; a long list is cut, as its length is shown anyway.</summary>
    private static IEnumerable<(string Name, string Value)> Endpoints(BackendConfig backend, BackendConfig other)
    {
        var missing = backend.Endpoints.Where(e => other.Endpoints.All(o => o.Id != e.Id)).ToList();
        foreach (var endpoint in missing.Take(MaxNamedEndpoints)) yield return ($"endpoint {endpoint.Id}", endpoint.PodName);
        if (missing.Count > MaxNamedEndpoints)
            yield return ("endpoints not named", (missing.Count - MaxNamedEndpoints).ToString(CultureInfo.InvariantCulture));
    }

    private static void AddSettings(
        ImmutableArray<ConfigChange>.Builder changes, string kind, string subject, string? backend,
        IEnumerable<(string Name, string Value)> before, IEnumerable<(string Name, string Value)> after)
    {
        var old = before.ToList();
        var now = after.ToList();
        foreach (var name in old.Concat(now).Select(s => s.Name).Distinct())
        {
            var oldValue = old.FirstOrDefault(s => s.Name == name).Value;
            var newValue = now.FirstOrDefault(s => s.Name == name).Value;
            if (oldValue != newValue) changes.Add(new ConfigChange(kind, subject, backend, name, oldValue, newValue, null));
        }
    }
}

/// <summary>One difference between two configurations.</summary>
/// <param name="Kind">cluster, gateway, route, objective or pool.</param>
/// <param name="Subject">Name of the cluster, else <c>namespace/name</c>.</param>
/// <param name="Backend"><c>cluster/zone:port</c> of the pool; null for what concerns the whole object.</param>
/// <param name="Name">What changes; the kind itself for an object that comes or goes.</param>
/// <param name="Before">Old value; null where there was none.</param>
/// <param name="After">New value; null where there is none.</param>
/// <param name="Origin">Where the new value is written; null for what has no such place.</param>
public sealed record ConfigChange(
    string Kind, string Subject, string? Backend, string Name, string? Before, string? After, SettingOrigin? Origin);
