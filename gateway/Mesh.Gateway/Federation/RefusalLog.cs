namespace Mesh.Gateway.Federation;

/// <summary>
/// Remembers why whom was turned away, so that each is logged once until it changes, and no more than one a second however many names
/// somebody invents. Bounded. Thread-safe.
/// </summary>
internal sealed class RefusalLog(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private const int MaxKept = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);
    private long? _last;

    /// <summary>True when this has not been said of that one last.</summary>
    public bool IsNew(string who, string reason)
    {
        lock (_gate)
        {
            if (_reasons.TryGetValue(who, out var known) && known == reason) return false;
            if (_last is { } last && time.GetElapsedTime(last) < Pause) return false;
            _last = time.GetTimestamp();
            if (_reasons.Count >= MaxKept) _reasons.Clear();
            _reasons[who] = reason;
            return true;
        }
    }

    /// <summary>It is taken for a peer again.</summary>
    public void Forget(string who)
    {
        lock (_gate) _reasons.Remove(who);
    }
}
