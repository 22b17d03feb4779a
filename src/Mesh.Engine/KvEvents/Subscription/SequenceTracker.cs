using Mesh.Engine.KvEvents.Events;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// Decides, batch by batch, what reaches the sink, so that every batch of a publisher reaches it once and in order, or else the sink is
/// told to forget. It sees sequence numbers and fingerprints only. A replay begins one batch early, at the last one applied: if that one
/// comes back the same, the publisher is still the same process; if it does not, the publisher has been restarted, even if its sequence
/// has meanwhile grown past ours. Pure; not thread-safe.
/// </summary>
/// <param name="hasReplay">Whether there is a replay address.</param>
internal sealed class SequenceTracker(bool hasReplay)
{
    /// <summary>Replays in a row that fail before the replay address is given up until the next connection.</summary>
    public const int MaxFailures = 3;

    /// <summary>Replays in a row that bring nothing new although something is missing, before the sink is told to forget.</summary>
    public const int MaxFruitless = 2;

    /// <summary>Replays in a row, whatever they bring, before catching up is given up.</summary>
    public const int MaxRounds = 64;

    private KvResetReason? _reset;
    private bool _lost = true;
    private bool _adopt = !hasReplay;
    private bool _replayDead;
    private bool _wanted;
    private int _failures, _fruitless, _rounds;
    private long _epoch;

    // Where we are: the last batch applied, if any since the last reset.
    private bool _hasLast;
    private ulong _next;
    private ulong _lastFingerprint;

    // The last batch seen on this connection, applied or not.
    private bool _hasLive;
    private ulong _lastLive;
    private ulong _lastLiveFingerprint;

    private Run _run;

    /// <summary>The replay under way. It verifies the batch at From, if we had one to verify.</summary>
    private struct Run
    {
        public bool Active;
        public bool Checking;
        public bool Verifies;
        public bool FirstSeen;
        public ulong From;
        public ulong Fingerprint;
        public ulong NextAtStart;
        public long Epoch;
    }

    /// <summary>How far the sink's knowledge can be relied upon.</summary>
    public KvKnowledge Knowledge =>
        _lost ? KvKnowledge.History
        : !IsConnected || _wanted || (_run.Active && !_run.Checking) ? KvKnowledge.Degraded
        : KvKnowledge.Exact;

    /// <summary>True while the live connection stands.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>True if the sink was told everything since the publisher's first batch; false if the oldest part was out of reach.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The sequence number expected next.</summary>
    public ulong Next => _next;

    /// <summary>True when a replay should be begun.</summary>
    public bool ReplayWanted => _wanted && IsConnected && !_run.Active;

    /// <summary>Gaps seen in the live sequence.</summary>
    public long Gaps { get; private set; }

    private bool CanReplay => hasReplay && !_replayDead;

    /// <summary>Takes the reset that the last call led to; the sink must be told before the batch is applied.</summary>
    public bool TryTakeReset(out KvResetReason reason)
    {
        reason = _reset.GetValueOrDefault();
        if (_reset is null) return false;
        _reset = null;
        return true;
    }

    /// <summary>The live connection stands. What is held from an earlier one is to be dropped by the caller.</summary>
    public void Connected()
    {
        IsConnected = true;
        _hasLive = _replayDead = false;
        _failures = _fruitless = _rounds = 0;
        if (hasReplay)
        {
            _adopt = _lost = false;
            _wanted = true;
            return;
        }
        if (_hasLast) Forget(KvResetReason.Reconnected);
        _adopt = _lost = true;
    }

    /// <summary>The live connection is gone.</summary>
    public void Disconnected() => IsConnected = _hasLive = false;

    /// <summary>The live connection has been gone for too long.</summary>
    public void Abandon()
    {
        if (_hasLast) Forget(KvResetReason.Unreachable);
        _lost = true;
        _wanted = false;
        _epoch++;
    }

    /// <summary>The batch last applied could not be read.</summary>
    public void Undecodable()
    {
        _reset = KvResetReason.Undecodable;
        IsComplete = false;
        _lost = true;
    }

    /// <summary>A batch has come on the live connection.</summary>
    public SequenceVerdict Live(ulong sequence, ulong fingerprint)
    {
        var fellBack = _hasLive && sequence <= _lastLive;
        if (fellBack && sequence == _lastLive && fingerprint == _lastLiveFingerprint) return SequenceVerdict.Drop;
        (_hasLive, _lastLive, _lastLiveFingerprint) = (true, sequence, fingerprint);
        if (fellBack)
        {
            // One publisher never goes back on one connection: another process answers behind this address.
            StartOver();
            if (_wanted) return SequenceVerdict.HoldAfterClearing;
        }
        return Place(sequence, fingerprint);
    }

    /// <summary>Judges a batch that came live or was held since: whether its turn has come.</summary>
    public SequenceVerdict Place(ulong sequence, ulong fingerprint)
    {
        if (_wanted || (_run.Active && !_run.Checking)) return SequenceVerdict.Hold;
        if (_adopt || sequence == _next) return Accept(sequence, fingerprint);
        if (sequence < _next) return SequenceVerdict.Drop;
        Gaps++;
        if (CanReplay && _fruitless < MaxFruitless)
        {
            // A check under way becomes the replay: what it brings next may be what is missing.
            if (_run.Active) _run.Checking = false;
            else _wanted = true;
            return SequenceVerdict.Hold;
        }
        if (CanReplay) _replayDead = true;
        Forget(KvResetReason.GapNotReplayed);
        return Accept(sequence, fingerprint);
    }

    /// <summary>Begins the replay that is wanted; answers the sequence to ask for.</summary>
    public ulong BeginReplay()
    {
        _wanted = false;
        _rounds++;
        return Begin(checking: false);
    }

    /// <summary>Begins a replay to make sure that a silent publisher has nothing that we lack. False if there is no occasion.</summary>
    public bool TryBeginCheck(out ulong from)
    {
        from = 0;
        if (!CanReplay || !IsConnected || _wanted || _run.Active || _lost) return false;
        from = Begin(checking: true);
        return true;
    }

    /// <summary>A batch has come from the replay under way.</summary>
    public SequenceVerdict Replayed(ulong sequence, ulong fingerprint)
    {
        if (!_run.Active || _run.Epoch != _epoch) return StopRun();
        if (!_run.FirstSeen)
        {
            if (sequence < _run.From) return SequenceVerdict.Drop;
            _run.FirstSeen = true;
            if (_run.Verifies && sequence == _run.From)
            {
                if (fingerprint == _run.Fingerprint) return SequenceVerdict.Drop;
                StartOver();
                return StopRun();
            }
            // The publisher's memory begins after what we asked for. Without the batch to compare, not even the next one proves that the
            // publisher is the same; during a check the unbroken live connection does.
            if (sequence > _next || (_run.Verifies && !_run.Checking))
            {
                if (_hasLast) Forget(KvResetReason.GapTooOld);
                return Accept(sequence, fingerprint);
            }
        }
        if (sequence < _next) return SequenceVerdict.Drop;
        if (sequence == _next) return Accept(sequence, fingerprint);
        // A hole inside a replay: the ROUTER dropped what did not fit its queue. Ask again from where we are.
        CountProgress();
        if (_fruitless >= MaxFruitless || _rounds >= MaxRounds) GiveUp(KvResetReason.GapNotReplayed);
        else _wanted = true;
        return StopRun();
    }

    /// <summary>The replay under way has come to its end marker.</summary>
    public void EndReplay()
    {
        var run = _run;
        StopRun();
        if (!run.Active || run.Epoch != _epoch) return;
        if (run.Verifies && !run.FirstSeen)
        {
            // It has not even the batch that we had last.
            StartOver();
            return;
        }
        if (!_hasLast) IsComplete = true;
        if (!run.Checking) CountProgress(run);
        _failures = 0;
        if (!_wanted) _rounds = 0;
    }

    /// <summary>The replay under way broke off: no connection, no answer, or an answer that makes no sense.</summary>
    public void FailReplay()
    {
        var run = _run;
        StopRun();
        // A check that fails says nothing.
        if (!run.Active || run.Epoch != _epoch || run.Checking) return;
        _failures = _next == run.NextAtStart ? _failures + 1 : 0;
        if (_failures >= MaxFailures || _rounds >= MaxRounds) GiveUp(KvResetReason.ReplayUnavailable);
        else _wanted = true;
    }

    private ulong Begin(bool checking)
    {
        _run = new Run
        {
            Active = true,
            Checking = checking,
            Verifies = _hasLast,
            From = _hasLast ? _next - 1 : _next,
            Fingerprint = _lastFingerprint,
            NextAtStart = _next,
            Epoch = _epoch,
        };
        return _run.From;
    }

    private SequenceVerdict Accept(ulong sequence, ulong fingerprint)
    {
        if (!_hasLast) IsComplete = sequence == 0;
        (_hasLast, _next, _lastFingerprint) = (true, sequence + 1, fingerprint);
        _adopt = _lost = false;
        if (!_run.Active) _fruitless = 0;
        return SequenceVerdict.Apply;
    }

    private void Forget(KvResetReason reason)
    {
        _reset = reason;
        _hasLast = IsComplete = false;
        _next = 0;
    }

    // Another publisher: whatever is under way belongs to the old one.
    private void StartOver()
    {
        Forget(KvResetReason.PublisherRestarted);
        _epoch++;
        if (CanReplay) _wanted = true;
        else _adopt = true;
    }

    private void GiveUp(KvResetReason reason)
    {
        if (_hasLast) Forget(reason);
        _adopt = _lost = _replayDead = true;
        _wanted = false;
    }

    private void CountProgress() => CountProgress(_run);

    private void CountProgress(in Run run) => _fruitless = _next == run.NextAtStart ? _fruitless + 1 : 0;

    private SequenceVerdict StopRun()
    {
        _run.Active = false;
        return SequenceVerdict.Stop;
    }
}
