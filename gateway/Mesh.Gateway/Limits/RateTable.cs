namespace Mesh.Gateway.Limits;

/// <summary>
/// What each key has used, by its name, so that an edit of the key file or a new token of the same subject begins no new minute. Thread-safe.
/// Bounded: names whose allowance is full are forgotten first, then all.
/// </summary>
internal sealed class RateTable(TimeProvider time, int maxNames = RateTable.DefaultMaxNames)
{
    private const int DefaultMaxNames = 200_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CallerRates> _byName = new(StringComparer.Ordinal);

    /// <summary>Names that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _byName.Count;
        }
    }

    /// <summary>The rates of a name; new ones when it has none, or had others.</summary>
    public CallerRates For(string name, int? requestsPerMinute, int? tokensPerMinute, int? maxConcurrent = null)
    {
        lock (_gate)
        {
            if (_byName.TryGetValue(name, out var known) && known.Have(requestsPerMinute, tokensPerMinute, maxConcurrent)) return known;
            if (known is null && _byName.Count >= maxNames) Forget();
            return _byName[name] = new CallerRates(requestsPerMinute, tokensPerMinute, time, maxConcurrent);
        }
    }

    private void Forget()
    {
        foreach (var (name, rates) in _byName)
        {
            if (rates.IsFull) _byName.Remove(name);
        }

        if (_byName.Count >= maxNames) _byName.Clear();
    }
}
