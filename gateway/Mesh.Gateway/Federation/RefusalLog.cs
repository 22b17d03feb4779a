namespace Mesh.Gateway.Federation;

/// <summary>Remembers why whom was turned away, so that each is logged once until it changes. Bounded. Thread-safe.</summary>
internal sealed class RefusalLog
{
    private const int MaxKept = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);

    /// <summary>True when this has not been said of that one last.</summary>
    public bool IsNew(string who, string reason)
    {
        lock (_gate)
        {
            if (_reasons.TryGetValue(who, out var known) && known == reason) return false;
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
