namespace Mesh.Bench.KvEvents;

/// <summary>What a load came to. Thread-safe while it is filled.</summary>
internal sealed class LoadResult
{
    private readonly Lock _gate = new();
    private readonly List<double> _firstMs = [];
    private long _prompt;
    private long _cached;
    private int _good;

    public double Seconds { get; init; }

    public int Failed { get; private set; }

    public int Requests => _firstMs.Count;

    /// <summary>Prompt tokens found in a cache over all prompt tokens.</summary>
    public double HitRatio => _cached / (double)Math.Max(1, _prompt);

    /// <summary>Requests per second whose first token came within the objective.</summary>
    public double GoodputPerSecond => _good / Seconds;

    public void Add(double firstMs, int promptTokens, int cachedTokens, bool isGood)
    {
        lock (_gate)
        {
            _firstMs.Add(firstMs);
            _prompt += promptTokens;
            _cached += cachedTokens;
            if (isGood) _good++;
        }
    }

    public void Fail()
    {
        lock (_gate) Failed++;
    }

    /// <summary>Time to the first token below which that share of the requests lies.</summary>
    public double TtftMs(double share)
    {
        if (_firstMs.Count == 0) return 0;
        _firstMs.Sort();
        return _firstMs[Math.Min(_firstMs.Count - 1, (int)(share * _firstMs.Count))];
    }
}
