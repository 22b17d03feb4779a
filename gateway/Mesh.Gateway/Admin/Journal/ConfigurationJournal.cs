using System.Collections.Immutable;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Hosting;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;

namespace Mesh.Gateway.Admin.Journal;

/// <summary>What was read of the manifests, what became of it, and since when each condition holds. Thread-safe.</summary>
internal sealed class ConfigurationJournal(ActiveConfiguration configuration, TimeProvider time)
{
    /// <summary>Edits that are kept.</summary>
    public const int MaxEdits = 100;

    /// <summary>Changes that are kept of one edit.</summary>
    public const int MaxChanges = 200;

    private readonly Lock _gate = new();
    private readonly Queue<EditShape> _edits = [];
    private Dictionary<ConditionKey, (bool Status, DateTimeOffset Since)> _conditions = [];
    private LoadResult? _last;
    private LoadResult? _good;
    private string? _source;
    private string? _problem;
    private DateTimeOffset _takenAt = time.GetUtcNow();
    private long _revision;

    private readonly record struct ConditionKey(string Cluster, string Kind, string Namespace, string Name, string Type);

    /// <summary>Rises with every reading.</summary>
    public long Revision => Interlocked.Read(ref _revision);

    /// <summary>What holds for each pool and where it is written; empty without manifests.</summary>
    public ImmutableArray<EffectivePool> Effective
    {
        get
        {
            lock (_gate) return _good?.Effective ?? [];
        }
    }

    /// <summary>Notes what the gateway was started with.</summary>
    /// <param name="source">Directory of the manifests.</param>
    /// <param name="first">What was read of them.</param>
    public void Started(string source, LoadResult first)
    {
        lock (_gate)
        {
            _source = source;
            Note(first, "started", null, []);
        }
    }

    /// <summary>Notes an edit that is in force now.</summary>
    public void Taken(LoadResult result)
    {
        lock (_gate)
        {
            if (ReferenceEquals(result, _last)) return;
            Note(result, "taken", null, _good is { Config: not null } before && result.Config is not null ? ConfigDiff.Compare(before, result) : []);
        }
    }

    /// <summary>Notes an edit that has errors.</summary>
    public void Refused(LoadResult result)
    {
        var errors = result.Diagnostics.Count(d => d.Severity == Severity.Error);
        lock (_gate) Note(result, "refused", $"The manifests have {errors} error{(errors == 1 ? "" : "s")}.", []);
    }

    /// <summary>Notes an edit without errors that this gateway cannot use.</summary>
    public void Unusable(LoadResult result, string why)
    {
        lock (_gate) Note(result, "unusable", why, []);
    }

    /// <summary>The whole of it.</summary>
    public ConfigurationShape Read()
    {
        lock (_gate)
        {
            return new ConfigurationShape
            {
                Version = configuration.Current.Config.Version,
                Source = _source,
                TakenAt = _takenAt,
                InForce = _problem is null,
                Problem = _problem,
                Errors = Count(_last, Severity.Error),
                Warnings = Count(_last, Severity.Warning),
                Objects = [.. (_last?.Statuses ?? []).Select(s => Manifests.Of(s, type => SinceOf(new ConditionKey(s.Cluster, s.Kind, s.Namespace, s.Name, type))))],
                Findings = [.. (_last?.Diagnostics ?? []).Select(Manifests.Of)],
                History = [.. _edits.Reverse()],
            };
        }
    }

    private static int Count(LoadResult? result, Severity severity) => result?.Diagnostics.Count(d => d.Severity == severity) ?? 0;

    private DateTimeOffset SinceOf(ConditionKey key) => _conditions.TryGetValue(key, out var known) ? known.Since : _takenAt;

    private void Note(LoadResult result, string outcome, string? problem, ImmutableArray<ConfigChange> changes)
    {
        var now = time.GetUtcNow();
        var conditions = new Dictionary<ConditionKey, (bool, DateTimeOffset)>();
        foreach (var status in result.Statuses)
        {
            foreach (var condition in status.Conditions)
            {
                var key = new ConditionKey(status.Cluster, status.Kind, status.Namespace, status.Name, condition.Type);
                conditions[key] = _conditions.TryGetValue(key, out var before) && before.Status == condition.Status ? before : (condition.Status, now);
            }
        }

        _conditions = conditions;
        _last = result;
        _problem = problem;
        if (problem is null)
        {
            _good = result;
            _takenAt = now;
        }

        if (_edits.Count == MaxEdits) _edits.Dequeue();
        _edits.Enqueue(new EditShape(
            now, configuration.Current.Config.Version, outcome, Count(result, Severity.Error), Count(result, Severity.Warning), problem,
            [.. changes.Take(MaxChanges).Select(Manifests.Of)], changes.Length));
        Interlocked.Increment(ref _revision);
    }
}
