using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The work that an endpoint has outstanding, predicted from what was sent there: prompts that have not answered yet, and streams that
/// decode. Times are milliseconds since the pool's start. Not thread-safe.
/// </summary>
internal sealed class EndpointWork(CostTable table, int slot)
{
    private const int LeastStreams = 64;
    private readonly SpeedEstimate _prefillSpeed = new();
    private readonly SpeedEstimate _decodeSpeed = new();
    private double _decodeRatio = 1;
    private double _poolDecode = 1;
    private readonly StreamSlack _slack = new();
    private double _stepMs;
    // What it was worked out with.
    private double _stepRatio = 1;
    private double _nextStepMs;
    private double _blindUntilMs;
    private double _blindMs;
    private int _blind;
    private double _pendingMs;
    private int _pending;
    private int _streams;
    private long _contextTokens;
    private double _adoptedBusyMs = double.NegativeInfinity;

    /// <summary>Prompt work of requests that wait in the pool for this endpoint.</summary>
    public double QueuedMs
    {
        get => table.Rows[slot].QueuedMs;
        set => Row.QueuedMs = value;
    }

    /// <summary>Learned: this endpoint's prompt times over the table's.</summary>
    public double PrefillSpeedRatio => _prefillSpeed.Ratio;

    /// <summary>Learned: this endpoint's times per output token over the table's.</summary>
    public double DecodeSpeedRatio => _decodeSpeed.Ratio * _poolDecode;

    /// <summary>When the last answer began; before everything while there was none.</summary>
    public double LastFirstByteMs { get; private set; } = double.NegativeInfinity;

    // To change it; it is read from the table's rows.
    private ref CostRow Row => ref table[slot];

    /// <summary>
    /// Time until a prompt sent now would begin to be computed. A prediction that time has overtaken counts as the share of those that
    /// stand behind the first.
    /// </summary>
    public double WaitMs(double nowMs) => table.Rows[slot].WaitMs(nowMs);

    /// <summary>When all prompts would be computed with one more, sent now.</summary>
    public double BusyUntilWith(double ownMs, double nowMs) => Math.Max(nowMs, table.Rows[slot].BusyUntilMs) + ownMs;

    /// <summary>Learns from a prompt that was computed alone: how long it took, and what the step-time table says.</summary>
    public void ObservePrefill(double observedMs, double tableMs, double nowMs)
    {
        _prefillSpeed.Observe(observedMs, tableMs, nowMs);
        Row.PrefillSpeed = _prefillSpeed.Ratio;
    }

    /// <summary>Takes the engine's own word for its speed, until something is observed.</summary>
    /// <param name="sample">What it says.</param>
    /// <param name="model">Costs.</param>
    public void Presume(EndpointSample sample, CostModel model)
    {
        if (_prefillSpeed.Count == 0 && ReportedSpeed.OfPrefill(sample, model.Curve) is { } prefill)
        {
            _prefillSpeed.Presume(prefill);
            Row.PrefillSpeed = _prefillSpeed.Ratio;
        }
        if (_decodeSpeed.Count > 0 || ReportedSpeed.OfDecode(sample, model.Curve) is not { } decode) return;
        _decodeSpeed.Presume(decode);
        _decodeRatio = Trust(_decodeSpeed.Ratio);
    }

    /// <summary>Doubts a speed that nothing has confirmed for a while; see <see cref="SpeedEstimate.Relax"/>.</summary>
    public void RelaxSpeed(double others, double nowMs)
    {
        _prefillSpeed.Relax(others, nowMs);
        _decodeSpeed.Relax(1, nowMs);
        if (table.Rows[slot].PrefillSpeed != _prefillSpeed.Ratio) Row.PrefillSpeed = _prefillSpeed.Ratio;
    }

    /// <summary>Learns from a stream that has ended: its time per output token, and what the step-time table says.</summary>
    /// <param name="observedMs">Observed.</param>
    /// <param name="tableMs">By the table.</param>
    /// <param name="all">What the endpoints of the pool show together.</param>
    /// <param name="nowMs">Now.</param>
    public void ObserveDecode(double observedMs, double tableMs, double all, double nowMs)
    {
        // Beside the others at this very moment: whatever slows all of them says nothing about one.
        _decodeSpeed.Observe(observedMs, tableMs * all, nowMs);
        _poolDecode = all;
        // It is hardware that this looks for, which does not change from one moment to the next: a few slow streams are no evidence.
        _decodeRatio = Trust(all) * (_decodeSpeed.Count < LeastStreams ? 1 : Trust(_decodeSpeed.Ratio));
    }

    // A busy endpoint's streams are slower than predicted for many a passing reason; only other hardware, or another model than the
    // table's, makes a difference like this, and following smaller ones sends work to and fro.
    private static double Trust(double ratio) => ratio is > 0.7 and < 1.4 ? 1 : ratio;

    /// <summary>Tokens that a stream has been predicted to get so far, its first included.</summary>
    public double PredictedTokens(in StreamMark stream, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        return 1 + _slack.Tokens - stream.Tokens;
    }

    /// <summary>The same by the step-time table alone: what is learned from must not depend on what was learned, least of all on what has been since the stream began.</summary>
    public double TableTokens(in StreamMark stream, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        return 1 + _slack.TableTokens - stream.TableTokens;
    }

    /// <summary>The engine has been restarted: its speed may be another one, and is to be learned as quickly as at first.</summary>
    public void LearnAnew()
    {
        _prefillSpeed.LearnAnew();
        _decodeSpeed.LearnAnew();
    }

    /// <summary>
    /// A request was sent. One that answers as a whole tells nothing when its prompt is computed: it counts as a stream at once, and its
    /// prompt as work until the predicted time, or until its answer is there.
    /// </summary>
    public void OnSent(double ownMs, bool streaming, int contextTokens, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        ref var row = ref Row;
        row.BusyUntilMs = BusyUntilWith(ownMs, nowMs);
        if (streaming)
        {
            _pendingMs += ownMs;
            _pending++;
            row.LeastWaitMs = BehindTheFirstMs;
            return;
        }
        _blindUntilMs = row.BusyUntilMs;
        _blindMs += ownMs;
        _blind++;
        _streams++;
        _contextTokens += contextTokens;
        Refresh(model);
    }

    /// <summary>A prompt is computed: what stands behind it begins now. Where its stream began.</summary>
    public StreamMark OnFirstByte(double ownMs, int contextTokens, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        EndPrompt(ownMs, nowMs);
        LastFirstByteMs = nowMs;
        _streams++;
        _contextTokens += contextTokens;
        Row.HasStreams = true;
        Refresh(model);
        return new StreamMark(_slack.Add(model.TokenTargetMs, nowMs), nowMs, _slack.Tokens) { TableTokens = _slack.TableTokens };
    }

    /// <summary>
    /// A request is taken over that was sent under an earlier state of the pool, and whose answer has not begun or comes as a whole. In whatever order those
    /// of an endpoint come, the work outstanding is the same afterwards.
    /// </summary>
    /// <param name="ownMs">Predicted work of its prompt.</param>
    /// <param name="busyUntilMs">When, at its sending, all prompts were predicted to be computed.</param>
    /// <param name="streaming">False when its answer comes as a whole.</param>
    /// <param name="contextTokens">Its context.</param>
    /// <param name="nowMs">Now.</param>
    /// <param name="model">Costs.</param>
    public void OnAdopted(double ownMs, double busyUntilMs, bool streaming, int contextTokens, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        if (streaming)
        {
            _pendingMs += ownMs;
            _pending++;
        }
        else
        {
            _blindUntilMs = Math.Max(_blindUntilMs, busyUntilMs);
            _blindMs += ownMs;
            _blind++;
            _streams++;
            _contextTokens += contextTokens;
            Refresh(model);
        }
        TakeOver(busyUntilMs);
    }

    /// <summary>A stream is taken over; <see cref="ResumeStream"/> tells how far it is.</summary>
    public void OnAdoptedStream(double busyUntilMs, int contextTokens, double begunMs, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        LastFirstByteMs = Math.Max(LastFirstByteMs, begunMs);
        _streams++;
        _contextTokens += contextTokens;
        Row.HasStreams = true;
        Refresh(model);
        TakeOver(busyUntilMs);
    }

    /// <summary>Where a stream that was taken over stands, if all steps since it began have taken as long as they do now.</summary>
    public StreamMark ResumeStream(double begunMs, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        var tokens = _stepMs > 0 ? (nowMs - begunMs) / _stepMs : 0;
        return new StreamMark(_slack.Resume(model.TokenTargetMs, begunMs, tokens), begunMs, _slack.Tokens - tokens) { TableTokens = _slack.TableTokens - tokens * _stepRatio };
    }

    /// <summary>Predicted time of a decode step with one stream more.</summary>
    public double NextStepMs(CostModel model) => _nextStepMs > 0 ? _nextStepMs : model.DecodeCosts(_streams, _contextTokens, _decodeRatio).NextStepMs;

    /// <summary>Streams that a prompt would push over their target of time per token.</summary>
    public int PushedOver(double waitMs, double ownMs, int uncachedTokens, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        return _slack.PushedOver(model.TokenTargetMs, waitMs, ownMs, (double)uncachedTokens / WorkCurve.ChunkTokens, _nextStepMs, nowMs);
    }

    /// <summary>A request ended.</summary>
    /// <param name="answered">Whether its answer had begun.</param>
    /// <param name="stream">Where its stream began; default for none.</param>
    /// <param name="ownMs">Predicted work of its prompt.</param>
    /// <param name="contextTokens">Its context.</param>
    /// <param name="nowMs">Now.</param>
    /// <param name="model">Costs.</param>
    public void OnEnded(bool answered, in StreamMark stream, double ownMs, int contextTokens, double nowMs, CostModel model)
    {
        CountTokens(nowMs, model);
        if (!answered)
        {
            EndPrompt(ownMs, nowMs);
            return;
        }
        _streams--;
        _contextTokens -= contextTokens;
        if (stream.IsStream) _slack.Remove(stream.Amount);
        else EndBlind(ownMs, nowMs);
        Row.HasStreams = _streams > 0;
        Refresh(model);
    }

    // One token for each step, and steps with a prompt's chunk take longer.
    private void CountTokens(double nowMs, CostModel model)
    {
        var increment = (double)table.Rows[slot].StepIncrementMs;
        var chunk = Math.Min(model.Curve.ChunkMs, _pendingMs);
        if (_pending == 0) _slack.Advance(_stepMs, _stepMs / _stepRatio, nowMs);
        else _slack.Advance(chunk + increment, chunk + increment / _stepRatio, nowMs);
    }

    private double BehindTheFirstMs => _pending <= 1 ? 0 : _pendingMs * (_pending - 1) / _pending;

    // All was predicted to be done when the last was sent; when an answer began, no more was left than the prompts that had not answered.
    private void TakeOver(double busyUntilMs)
    {
        _adoptedBusyMs = Math.Max(_adoptedBusyMs, busyUntilMs);
        ref var row = ref Row;
        row.LeastWaitMs = BehindTheFirstMs;
        var untilMs = _adoptedBusyMs;
        if (double.IsFinite(LastFirstByteMs))
        {
            untilMs = Math.Min(untilMs, Math.Max(_blindUntilMs, LastFirstByteMs + _pendingMs));
            if (_pending > 0) untilMs = Math.Max(untilMs, LastFirstByteMs + row.LeastWaitMs);
        }
        row.BusyUntilMs = Math.Max(row.BusyUntilMs, untilMs);
    }

    private void EndPrompt(double ownMs, double nowMs)
    {
        _pending--;
        // Sums of many small numbers drift: none pending is exactly nothing.
        _pendingMs = _pending == 0 ? 0 : Math.Max(0, _pendingMs - ownMs);
        ref var row = ref Row;
        row.LeastWaitMs = BehindTheFirstMs;
        row.BusyUntilMs = Math.Min(row.BusyUntilMs, Math.Max(_blindUntilMs, nowMs + _pendingMs));
        if (_pending > 0) row.BusyUntilMs = Math.Max(row.BusyUntilMs, nowMs + row.LeastWaitMs);
    }

    // Its prompt is done, however long it was to take: no more can be left than those of the others.
    private void EndBlind(double ownMs, double nowMs)
    {
        _blind--;
        _blindMs = _blind == 0 ? 0 : Math.Max(0, _blindMs - ownMs);
        _blindUntilMs = Math.Min(_blindUntilMs, nowMs + _pendingMs + _blindMs);
        ref var row = ref Row;
        row.BusyUntilMs = Math.Min(row.BusyUntilMs, Math.Max(_blindUntilMs, nowMs + _pendingMs));
    }

    private void Refresh(CostModel model)
    {
        (var decodeMs, var incrementMs, _stepMs, _nextStepMs) = model.DecodeCosts(_streams, _contextTokens, _decodeRatio);
        _stepRatio = _decodeRatio;
        ref var row = ref Row;
        row.DecodeMs = decodeMs;
        row.StepIncrementMs = (float)incrementMs;
    }
}
