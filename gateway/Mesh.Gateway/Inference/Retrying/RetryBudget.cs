namespace Mesh.Gateway.Inference.Retrying;

/// <summary>
/// Retries that one pool's requests may cause: each request pays in a share of one, time pays in a few per second, and what is saved up is
/// bounded. So over any time retries ≤ saved up + share × requests + rate × time, however many endpoints fail. Thread-safe; a request costs one
/// read while the budget is full, which it is when all is well.
/// </summary>
internal sealed class RetryBudget
{
    /// <summary>Seconds of <see cref="RetryBudgetOptions.PerSecond"/> that are saved up.</summary>
    public const int SavedSeconds = 10;

    // The least that a share without a rate can save up.
    private const int LeastSaved = 10;

    // Thousandths: a share of one retry must be a whole number.
    private const long One = 1000;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly long _share;
    private readonly int _perSecond;
    private readonly long _most;
    private long _balance;
    private long _refilledAt;

    /// <param name="options">How much.</param>
    /// <param name="time">Clock.</param>
    public RetryBudget(RetryBudgetOptions options, TimeProvider time)
    {
        _time = time;
        _share = (long)Math.Round(options.Share * One);
        _perSecond = options.PerSecond;
        _most = Math.Max(LeastSaved, SavedSeconds * _perSecond) * One;
        _balance = SavedSeconds * _perSecond * One;
        _refilledAt = time.GetTimestamp();
    }

    /// <summary>A request has come: it pays in its share.</summary>
    public void OnRequest() => Add(_share);

    /// <summary>Takes one retry out; false when there is none.</summary>
    public bool TryTake()
    {
        Refill();
        while (true)
        {
            var seen = Volatile.Read(ref _balance);
            if (seen < One) return false;
            if (Interlocked.CompareExchange(ref _balance, seen - One, seen) == seen) return true;
        }
    }

    /// <summary>A retry that was taken out was not made.</summary>
    public void GiveBack() => Add(One);

    private void Add(long amount)
    {
        while (true)
        {
            var seen = Volatile.Read(ref _balance);
            if (seen >= _most || amount == 0) return;
            if (Interlocked.CompareExchange(ref _balance, Math.Min(seen + amount, _most), seen) == seen) return;
        }
    }

    private void Refill()
    {
        if (_perSecond == 0) return;
        long earned;
        lock (_gate)
        {
            var elapsed = _time.GetElapsedTime(_refilledAt);
            earned = (long)Math.Min(elapsed.TotalSeconds * _perSecond * One, _most);
            if (earned < 1) return;
            _refilledAt = _time.GetTimestamp();
        }

        Add(earned);
    }
}
