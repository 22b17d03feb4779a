using Mesh.Grains.Contracts;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Gateways;

/// <summary>How the link keeps in touch with the pool, and what it does when it cannot.</summary>
internal sealed partial class PoolLink
{
    private static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Gives a sign of life, asks again what has had no answer for too long, and chooses by itself when nobody answers.</summary>
    public void Keep()
    {
        _ = HeartbeatAsync();
        var now = _services.Time.GetTimestamp();
        List<Ask>? overdue = null;
        lock (_gate)
        {
            var settled = _lastNumber + 1;
            foreach (var ask in _open.Values)
            {
                settled = Math.Min(settled, ask.Number);
                if (_isAnnounced && ask is { IsWithStandIn: false, IsFlying: false, IsFresh: false } && _services.Time.GetElapsedTime(ask.AskedAt, now) >= _services.Options.AskTimeout) (overdue ??= []).Add(ask);
            }
            _settled = LeastUntold(settled);
        }

        GiveUpOverdue(now);
        if (overdue is not null)
        {
            lock (_gate) overdue.ForEach(Freshen);
            StartIfNeeded();
        }
        Send();
        WatchSilence(now);
        _standIn?.Keep(_services.Session);
    }

    private async Task HeartbeatAsync()
    {
        try
        {
            if (Interlocked.Increment(ref _heartbeats) > MaxHeartbeats) return;
            SessionCall call;
            lock (_gate) call = new SessionCall(_services.Session, _epoch, _key, _settled, _map);
            // In real time, and by its own clock: a client that has not met a silo yet never gives a call up.
            await TakeAsync(_grain.Heartbeat(call)).WaitAsync(HeartbeatTimeout).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The next one is due soon. Whatever it was, the link must not fall silent for it.
            HeartbeatFailed(_services.Logger, e, _id);
        }
        finally
        {
            Interlocked.Decrement(ref _heartbeats);
        }
    }

    // However late it comes, where nobody waits for it any more: on a machine that is far behind no other would be earlier.
    private async Task TakeAsync(ValueTask<PoolReply> sending) => Take(await sending.ConfigureAwait(false));

    private void Take(in PoolReply reply)
    {
        Note(reply.Shard);
        if (reply.IsSuperseded) return;
        lock (_gate)
        {
            if (reply.Epoch < _epoch) return;
            _wantsHints = reply.WantsHints;
        }
        Heard(reply.Epoch, reply.MustAnnounce);
    }

    // The pool lives, under this epoch; it may have to be told what is held here.
    private void Heard(long epoch, bool mustAnnounce)
    {
        lock (_gate)
        {
            if (epoch < _epoch) return;
            if (epoch > _epoch || mustAnnounce) _isAnnounced = false;
            _epoch = epoch;
        }
        Contact();
        Send();
    }

    // :: Telling. An announcement is alone under way: what it says holds together with nothing else.
    private void Send(bool isUrgent = false)
    {
        bool announces;
        lock (_gate)
        {
            announces = !_isAnnounced;
            if (_epoch == 0 || _isSending || (!announces && (_outbox.IsEmpty || !MayStart(isUrgent)))) return;
            _isSending = announces;
        }
        if (announces) _ = AnnounceAsync();
        else _ = FlyAsync(isUrgent);
    }

    private async Task AnnounceAsync()
    {
        Announcement announcement;
        lock (_gate) announcement = WriteAnnouncement();
        try
        {
            var reply = await _grain.Announce(announcement).AsTask().WaitAsync(_patience).ConfigureAwait(false);
            _patience = _services.Options.SendTimeout;
            if (!reply.MustAnnounce && !reply.IsSuperseded && reply.Epoch == announcement.Epoch) Announced(reply, announcement);
            else Take(in reply);
        }
        catch (TimeoutException)
        {
            BePatient();
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            // Made again with the next sign of life, under a later number.
        }
        finally
        {
            lock (_gate) _isSending = false;
        }
        StartIfNeeded();
    }

    private Announcement WriteAnnouncement()
    {
        var waiting = _open.Values.Where(a => !a.IsWithStandIn).OrderBy(a => a.Number).ToArray();
        foreach (var ask in waiting) ask.WasAsked = true;
        return new Announcement
        {
            Session = _services.Session,
            Epoch = _epoch,
            Sequence = ++_sequence,
            Held = [.. _held.Values.Select(h => h.ToHeld(_services.Time))],
            Waiting = [.. waiting.Select(a => a.CallFor(_epoch, 0, _settled))],
            Hints = _wantsHints ? _view.Hints() : [],
            Watcher = _view.Reference,
            Shards = _map,
        };
    }

    // What a peer region works on holds nothing here, and who stands in sends nothing to peers.
    private Core.Leases.HeldLease[] HeldHere() => [.. _held.Values.Where(h => h.Lease.Endpoint.Address is not null).Select(h => h.ToHeld(_services.Time))];

    private void Announced(in PoolReply reply, Announcement announcement)
    {
        Note(reply.Shard);
        StandInPool? standIn;
        lock (_gate)
        {
            // Under another map since, something else is held here: it is told that next.
            if (_epoch != announcement.Epoch || _map.Version != announcement.Shards.Version) return;
            _key = reply.Key;
            _isAnnounced = true;
            _isLost = false;
            standIn = _standIn;
            _standIn = null;
        }

        Contact();
        if (standIn is not null)
        {
            Back(_services.Logger, _id);
            standIn.Close();
        }
        AskAll();
    }

    // :: On its own.
    private void WatchSilence(long now)
    {
        var silent = _services.Time.GetElapsedTime(Volatile.Read(ref _lastContact), now);
        if (silent < _services.Options.FailStaticAfter || _isLost || _isClosed) return;
        if (silent >= _services.Options.FailStaticAfter + _services.Options.FailStaticFor || (_standIn is null && _view.Latest is null))
        {
            GiveUp();
            return;
        }

        if (_standIn is not null) return;
        Ask[] open;
        lock (_gate)
        {
            _standIn = new StandInPool(_config, _view.Latest!, HeldHere(), _services, Shard);
            _isAnnounced = false;
            open = [.. _open.Values.OrderBy(a => a.Number)];
        }
        OnItsOwn(_services.Logger, _id, silent.TotalSeconds);
        foreach (var ask in open) _ = PlaceAsync(ask, _standIn);
    }

    private async Task PlaceAsync(Ask ask, StandInPool standIn)
    {
        lock (_gate)
        {
            if (ask.IsDone) return;
            ask.IsWithStandIn = true;
        }

        try
        {
            var decision = await standIn.RouteAsync(in ask.Request).ConfigureAwait(false);
            // The pool may have placed it, too, and not have been heard.
            lock (_gate)
            {
                if (ask.WasAsked) _outbox.Add(new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new Core.Leases.LeaseId(0, ask.Number) });
            }
            Settle(ask, in decision);
        }
        catch (OperationCanceledException)
        {
            // The pool is back.
            lock (_gate) ask.IsWithStandIn = false;
            _ = AttemptAsync(ask, TimeSpan.Zero);
        }
    }

    private void GiveUp()
    {
        Ask[] open;
        StandInPool? standIn;
        lock (_gate)
        {
            _isLost = true;
            standIn = _standIn;
            _standIn = null;
            open = [.. _open.Values];
        }

        Lost(_services.Logger, _id);
        foreach (var ask in open) Settle(ask, Unreachable);
        standIn?.Close();
    }

    [LoggerMessage(1, LogLevel.Warning, "Pool {Pool}: nobody has answered for {Seconds:F1} s; requests go by what was last known.")]
    private static partial void OnItsOwn(ILogger logger, Core.Config.PoolId pool, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Pool {Pool}: the silos answer again.")]
    private static partial void Back(ILogger logger, Core.Config.PoolId pool);

    [LoggerMessage(3, LogLevel.Error, "Pool {Pool}: nobody answers, and what was last known is too old or nothing; requests are refused until a silo answers.")]
    private static partial void Lost(ILogger logger, Core.Config.PoolId pool);

    [LoggerMessage(4, LogLevel.Debug, "Pool {Pool}: a sign of life was not answered.")]
    private static partial void HeartbeatFailed(ILogger logger, Exception e, Core.Config.PoolId pool);
}
