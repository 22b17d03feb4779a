namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The work that an endpoint has outstanding, predicted from what was sent there: prompts that have not answered yet, and streams that
/// decode. Times are milliseconds since the pool's start. Not thread-safe.
/// </summary>
internal sealed class EndpointWork
{
    private double _busyUntilMs;
    private double _blindUntilMs;
    private double _pendingMs;
    private int _pending;
    private int _streams;
    private long _contextTokens;

    /// <summary>Learned: this endpoint's prompt times over the table's.</summary>
    public SpeedEstimate PrefillSpeed { get; } = new();

    /// <summary>Prompt work of requests that wait in the pool for this endpoint.</summary>
    public double QueuedMs { get; set; }

    /// <summary>What one more stream does to the streams that are there; see <see cref="CostModel"/>.</summary>
    public double DecodeCostMs { get; private set; }

    /// <summary>What the streams add to each prefill step.</summary>
    public double StepIncrementMs { get; private set; }

    /// <summary>Requests sent that have not answered.</summary>
    public int Pending => _pending;

    /// <summary>Requests that have begun to answer.</summary>
    public int Streams => _streams;

    /// <summary>When the last answer began.</summary>
    public double LastFirstByteMs { get; private set; }

    /// <summary>When the prompt work outstanding is predicted to be done.</summary>
    public double BusyUntilMs => _busyUntilMs;

    /// <summary>
    /// Time until a prompt sent now would begin to be computed. A prediction that time has overtaken counts as the share of those that
    /// stand behind the first.
    /// </summary>
    public double WaitMs(double nowMs)
    {
        var left = _busyUntilMs - nowMs;
        if (_pending <= 1) return left > 0 ? left : 0;
        return Math.Max(left, _pendingMs * (_pending - 1) / _pending);
    }

    /// <summary>
    /// A request was sent. One that answers as a whole tells nothing when its prompt is computed: it counts as a stream at once, and its
    /// prompt as work until the predicted time.
    /// </summary>
    public void OnSent(double ownMs, bool streaming, int contextTokens, double nowMs, CostModel model)
    {
        _busyUntilMs = Math.Max(nowMs, _busyUntilMs) + ownMs;
        if (streaming)
        {
            _pendingMs += ownMs;
            _pending++;
            return;
        }
        _blindUntilMs = _busyUntilMs;
        _streams++;
        _contextTokens += contextTokens;
        Refresh(model);
    }

    /// <summary>A prompt is computed: what stands behind it begins now.</summary>
    public void OnFirstByte(double ownMs, int contextTokens, double nowMs, CostModel model)
    {
        EndPrompt(ownMs, nowMs);
        LastFirstByteMs = nowMs;
        _streams++;
        _contextTokens += contextTokens;
        Refresh(model);
    }

    /// <summary>A request ended.</summary>
    public void OnEnded(bool answered, double ownMs, int contextTokens, double nowMs, CostModel model)
    {
        if (!answered)
        {
            EndPrompt(ownMs, nowMs);
            return;
        }
        _streams--;
        _contextTokens -= contextTokens;
        Refresh(model);
    }

    private void EndPrompt(double ownMs, double nowMs)
    {
        _pending--;
        // Sums of many small numbers drift: none pending is exactly nothing.
        _pendingMs = _pending == 0 ? 0 : Math.Max(0, _pendingMs - ownMs);
        _busyUntilMs = Math.Min(_busyUntilMs, Math.Max(_blindUntilMs, nowMs + _pendingMs));
        if (_pending > 0) _busyUntilMs = Math.Max(_busyUntilMs, nowMs + _pendingMs * (_pending - 1) / _pending);
    }

    private void Refresh(CostModel model) => (DecodeCostMs, StepIncrementMs) = model.DecodeCosts(_streams, _contextTokens);
}
