using System.Collections.Immutable;

namespace Mesh.Resources.Effective;

/// <summary>What changes for each pool and backend between two configurations.</summary>
public static class EffectiveDiff
{
    /// <summary>Every difference, ordered by pool and backend, whole-pool settings first; empty when nothing changes in effect.</summary>
    /// <param name="before">Effective settings of the old configuration.</param>
    /// <param name="after">Effective settings of the new one.</param>
    public static ImmutableArray<EffectiveChange> Compare(ImmutableArray<EffectivePool> before, ImmutableArray<EffectivePool> after)
    {
        var changes = ImmutableArray.CreateBuilder<EffectiveChange>();
        foreach (var id in before.Concat(after).Select(p => p.Id).Distinct().Order())
        {
            var old = before.FirstOrDefault(p => p.Id == id);
            var now = after.FirstOrDefault(p => p.Id == id);
            if (old is null || now is null)
            {
                changes.Add(
                    new EffectiveChange(id.ToString(), null, "pool", old is null ? null : "present", now is null ? null : "present", null));
                if (old is not null) continue;
            }
            else
            {
                AddSettings(changes, id.ToString(), null, old.Settings, now.Settings);
            }

            AddBackends(changes, id.ToString(), old?.Backends ?? [], now?.Backends ?? []);
        }

        return changes.ToImmutable();
    }

    private static void AddBackends(
        ImmutableArray<EffectiveChange>.Builder changes, string pool, ImmutableArray<EffectiveBackend> before, ImmutableArray<EffectiveBackend> after)
    {
        foreach (var id in before.Concat(after).Select(b => b.Id).Distinct().Order())
        {
            var old = before.FirstOrDefault(b => b.Id == id);
            var now = after.FirstOrDefault(b => b.Id == id);
            if (old?.EndpointCount != now?.EndpointCount)
                changes.Add(
                    new EffectiveChange(pool, id.ToString(), "endpoints", old?.EndpointCount.ToString(Invariant), now?.EndpointCount.ToString(Invariant), null));
            if (now is null) continue;
            AddSettings(changes, pool, id.ToString(), old?.Settings ?? [], now.Settings);
            foreach (var measure in (old?.Capacity ?? []).Concat(now.Capacity).Select(c => c.Measure).Distinct())
            {
                var oldTarget = old?.Capacity.FirstOrDefault(c => c.Measure == measure);
                var newTarget = now.Capacity.FirstOrDefault(c => c.Measure == measure);
                if (oldTarget != newTarget)
                    changes.Add(new EffectiveChange(pool, id.ToString(), $"target {measure}", Text(oldTarget), Text(newTarget), null));
            }
        }
    }

    private static void AddSettings(
        ImmutableArray<EffectiveChange>.Builder changes, string pool, string? backend, ImmutableArray<EffectiveSetting> before, ImmutableArray<EffectiveSetting> after)
    {
        foreach (var name in before.Concat(after).Select(s => s.Name).Distinct())
        {
            var old = before.FirstOrDefault(s => s.Name == name);
            var now = after.FirstOrDefault(s => s.Name == name);

            // A field that only moved to another line or scope changes nothing in effect.
            if (old?.Value != now?.Value) changes.Add(new EffectiveChange(pool, backend, name, old?.Value, now?.Value, now?.Origin));
        }
    }

    private static System.Globalization.CultureInfo Invariant => System.Globalization.CultureInfo.InvariantCulture;

    private static string? Text(CapacityTarget? target) =>
        target is null
            ? null
            : string.Create(Invariant, $"{target.Formula} = {target.Value:0.######}{(target.DryRun ? " (dry run)" : "")}");
}

/// <summary>One difference.</summary>
/// <param name="Pool"><c>namespace/name</c>.</param>
/// <param name="Backend"><c>cluster/zone:port</c>; null for a setting of the whole pool.</param>
/// <param name="Name">Setting, <c>endpoints</c>, <c>pool</c>, or <c>target …</c>.</param>
/// <param name="Before">Old value; null where there was none.</param>
/// <param name="After">New value; null where there is none.</param>
/// <param name="Origin">Where the new value is written; null for what is computed.</param>
public sealed record EffectiveChange(string Pool, string? Backend, string Name, string? Before, string? After, SettingOrigin? Origin)
{
    /// <summary><c>default/pool west/zone:8000 maxRatePerEndpoint: 40 requests/s → 50 requests/s</c>.</summary>
    public override string ToString() => $"{Pool}{(Backend is null ? "" : " " + Backend)} {Name}: {Before ?? "none"} → {After ?? "none"}";
}
