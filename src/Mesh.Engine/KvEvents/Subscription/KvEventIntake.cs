using System.Numerics;
using Mesh.Engine.KvEvents.Events;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// Where the live connection and the replay come together: tracker, backlog, decoder and sink under one lock, and everything that is
/// counted and logged about them. Does no I/O. Thread-safe.
/// </summary>
internal sealed class KvEventIntake(KvEventSource source, IKvEventSink sink, KvEventSubscriberOptions options, TimeProvider clock, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly SequenceTracker _tracker = new(source.ReplayPort is not null);
    private readonly LiveBacklog _backlog = new(options.MaxHeldBatches, options.MaxHeldBytes);
    private readonly KvBatchDecoder _decoder = new();
    private KvKnowledge _knowledge = KvKnowledge.History;
    private bool _isComplete;
    private string _reason = "not connected yet";
    private DateTimeOffset _since = clock.GetUtcNow();
    private long _lastHeard = clock.GetTimestamp();

    private long _batches, _replayed, _stored, _removed, _cleared, _unknown, _undecodable, _malformed, _duplicates, _refused;
    private long _replays, _failedReplays, _resets, _connections, _stateChanges;

    /// <summary>True when a replay should be begun.</summary>
    public bool ReplayWanted
    {
        get
        {
            lock (_gate) return _tracker.ReplayWanted;
        }
    }

    /// <summary>The subscription now.</summary>
    public KvSubscriptionStatus Status
    {
        get
        {
            lock (_gate) return new KvSubscriptionStatus(source, _knowledge, _reason, _since, _tracker.IsComplete, _tracker.Next, Counters());
        }
    }

    /// <summary>The live connection stands.</summary>
    public void Connected()
    {
        lock (_gate)
        {
            _connections++;
            _lastHeard = clock.GetTimestamp();
            _backlog.Clear();
            _tracker.Connected();
            Settle("connected");
        }
    }

    /// <summary>The live connection is gone.</summary>
    public void Disconnected(string reason)
    {
        lock (_gate)
        {
            _tracker.Disconnected();
            Settle(reason);
        }
    }

    /// <summary>It has been gone for too long; nothing happens if it has just come back.</summary>
    public void AbandonIfDisconnected(string reason)
    {
        lock (_gate)
        {
            if (_tracker.IsConnected) return;
            _tracker.Abandon();
            Settle(reason);
        }
    }

    /// <summary>Begins the lock for a run of live messages; taken once per read rather than once per message.</summary>
    public Lock.Scope EnterLive()
    {
        var scope = _gate.EnterScope();
        _lastHeard = clock.GetTimestamp();
        return scope;
    }

    /// <summary>A batch from the live connection, within <see cref="EnterLive"/>.</summary>
    public void TakeLive(ulong sequence, ReadOnlySpan<byte> payload)
    {
        var verdict = _tracker.Live(sequence, BatchFingerprint.Of(payload));
        if (verdict == SequenceVerdict.HoldAfterClearing) _backlog.Clear();
        if (verdict is SequenceVerdict.Hold or SequenceVerdict.HoldAfterClearing)
        {
            if (!_backlog.TryAdd(sequence, payload)) _refused++;
        }
        Carry(verdict, sequence, payload, replayed: false);
        Settle(verdict is SequenceVerdict.Apply or SequenceVerdict.Drop ? "following" : "a gap before batch ", sequence);
    }

    /// <summary>A message that is no batch, within <see cref="EnterLive"/> or not.</summary>
    public void CountMalformed()
    {
        lock (_gate)
        {
            if (BitOperations.IsPow2(++_malformed)) KvEventLog.Malformed(logger, source.Host, source.Port, _malformed);
        }
    }

    /// <summary>Begins a replay if one is wanted, or a check if the publisher has been silent long enough. Answers the sequence to ask for.</summary>
    public bool TryBeginReplay(out ulong from)
    {
        lock (_gate)
        {
            var begun = _tracker.ReplayWanted;
            if (begun)
            {
                from = _tracker.BeginReplay();
            }
            else
            {
                from = 0;
                begun = clock.GetElapsedTime(_lastHeard) >= options.TailCheckInterval && _tracker.TryBeginCheck(out from);
                // The next check is due one interval after this one.
                if (begun) _lastHeard = clock.GetTimestamp();
            }
            if (!begun) return false;
            _replays++;
            KvEventInstruments.Replays.Add(1);
            return true;
        }
    }

    /// <summary>A batch from the replay. False: the replay should be ended.</summary>
    public bool TakeReplayed(ulong sequence, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            var verdict = _tracker.Replayed(sequence, BatchFingerprint.Of(payload));
            Carry(verdict, sequence, payload, replayed: true);
            if (verdict == SequenceVerdict.Stop) Drain();
            Settle("replayed");
            return verdict != SequenceVerdict.Stop;
        }
    }

    /// <summary>The replay has come to its end marker.</summary>
    public void EndReplay()
    {
        lock (_gate)
        {
            _tracker.EndReplay();
            TellReset();
            Drain();
            Settle("replayed");
        }
    }

    /// <summary>The replay broke off.</summary>
    public void FailReplay(string reason)
    {
        lock (_gate)
        {
            _failedReplays++;
            _tracker.FailReplay();
            TellReset();
            Drain();
            Settle(reason);
        }
    }

    private void Drain()
    {
        while (_backlog.TryPeek(out var sequence, out var payload))
        {
            var verdict = _tracker.Place(sequence, BatchFingerprint.Of(payload));
            if (verdict == SequenceVerdict.Hold) return;
            Carry(verdict, sequence, payload, replayed: false);
            _backlog.DropFirst();
        }
    }

    private void Carry(SequenceVerdict verdict, ulong sequence, ReadOnlySpan<byte> payload, bool replayed)
    {
        TellReset();
        if (verdict == SequenceVerdict.Drop) _duplicates++;
        if (verdict != SequenceVerdict.Apply) return;
        var result = _decoder.Decode(payload, sequence, sink);
        _batches++;
        if (replayed) _replayed++;
        _stored += result.Stored;
        _removed += result.Removed;
        _cleared += result.Cleared;
        _unknown += result.Unknown;
        KvEventInstruments.Batches.Add(1);
        KvEventInstruments.Events.Add(result.Events);
        if (result.Error == KvDecodeError.None) return;
        if (BitOperations.IsPow2(++_undecodable))
            KvEventLog.Undecodable(logger, source.Host, source.Port, sequence, result.Error, result.Position, _undecodable);
        _tracker.Undecodable();
        TellReset();
    }

    private void TellReset()
    {
        if (!_tracker.TryTakeReset(out var reason)) return;
        sink.OnReset(reason);
        KvEventInstruments.Resets.Add(1, new KeyValuePair<string, object?>("reason", reason));
        // A publisher whose batches are never readable resets at every one of them: the log has the first, second, fourth, eighth.
        if (BitOperations.IsPow2(++_resets)) KvEventLog.Reset(logger, source.Host, source.Port, reason, _resets);
    }

    private void Settle(string reason, ulong? sequence = null)
    {
        TellReset();
        var knowledge = _tracker.Knowledge;
        if (knowledge != _knowledge || _tracker.IsComplete != _isComplete)
        {
            _isComplete = _tracker.IsComplete;
            sink.OnStateChanged(knowledge, _isComplete);
        }
        if (knowledge == _knowledge) return;
        var before = _knowledge;
        _knowledge = knowledge;
        _reason = sequence is { } number && knowledge == KvKnowledge.Degraded ? reason + number : reason;
        _since = clock.GetUtcNow();
        _stateChanges++;
        KvEventInstruments.StateChanges.Add(1, new KeyValuePair<string, object?>("state", knowledge));
        KvEventLog.StateChanged(logger, source.Host, source.Port, before, knowledge, _reason);
    }

    private KvEventCounters Counters() => new()
    {
        Batches = _batches,
        ReplayedBatches = _replayed,
        StoredEvents = _stored,
        RemovedEvents = _removed,
        ClearedEvents = _cleared,
        UnknownEvents = _unknown,
        UndecodableBatches = _undecodable,
        MalformedMessages = _malformed,
        DuplicateBatches = _duplicates,
        RefusedBatches = _refused,
        Gaps = _tracker.Gaps,
        Replays = _replays,
        FailedReplays = _failedReplays,
        Resets = _resets,
        Connections = _connections,
        StateChanges = _stateChanges,
    };
}
