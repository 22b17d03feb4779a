using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>
/// How requests and what became of them go to the pool: the first goes at once; those that come while messages are under way go together with the
/// next. What is only given back waits for a request to go with, but not for long.
/// </summary>
internal sealed partial class PoolLink
{
    private const int MaxFlights = 4;
    private const int MaxAsksInFlight = 256;
    private const int FewOpen = 128;

    // A message of its own for every request that ends would cost the pool as much as placing it did.
    private static readonly TimeSpan FeedbackPause = TimeSpan.FromMilliseconds(1);
    private readonly Queue<Ask> _fresh = new();
    private readonly List<Flight> _flights = [];
    private readonly ITimer _feedbackTimer;
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(5);
    private TimeSpan _patience;
    private int _starting;
    private bool _feedbackTimerIsSet;
    private long _lastFlight;

    /// <summary>Ends once everything that the pool is to be told has been told; false when it could not be in time.</summary>
    public async Task<bool> FlushAsync(TimeSpan timeout)
    {
        var began = _services.Time.GetTimestamp();
        while (true)
        {
            lock (_gate)
            {
                if (_outbox.IsEmpty && !_isSending && _flights.Count + _starting == 0) return true;
                if (_epoch == 0) return _outbox.IsEmpty;
            }
            if (_services.Time.GetElapsedTime(began) > timeout) return false;
            Send(isUrgent: true);
            await Task.Delay(1).ConfigureAwait(false);
        }
    }

    // Under the lock. True when the caller is to start a flight.
    private bool MayStart(bool isUrgent)
    {
        if (!_isAnnounced || _isClosed || _flights.Count + _starting >= MaxFlights) return false;
        // It goes with what is under way when that comes back, or with the next request.
        if (!isUrgent && (_flights.Count + _starting > 0 || !FeedbackIsDue())) return false;
        _starting++;
        return true;
    }

    private bool FeedbackIsDue()
    {
        if (_services.Time.GetElapsedTime(_lastFlight) >= FeedbackPause) return true;
        if (_feedbackTimerIsSet) return false;
        _feedbackTimerIsSet = true;
        _feedbackTimer.Change(FeedbackPause, Timeout.InfiniteTimeSpan);
        return false;
    }

    private void Start(bool isAlone)
    {
        // Where others are under way, whoever else is about to ask may come along: their turn is before this one.
        if (isAlone) _ = FlyAsync(isUrgent: true);
        else ThreadPool.UnsafeQueueUserWorkItem(static link => _ = link.FlyAsync(isUrgent: false), this, preferLocal: false);
    }

    private void StartIfNeeded()
    {
        lock (_gate)
        {
            if ((_fresh.Count == 0 && _outbox.IsEmpty) || !MayStart(isUrgent: true)) return;
        }
        Start(isAlone: true);
    }

    private void OnFeedbackTimer()
    {
        lock (_gate) _feedbackTimerIsSet = false;
        Send(isUrgent: true);
    }

    private async Task FlyAsync(bool isUrgent)
    {
        Flight? flight;
        lock (_gate)
        {
            _starting--;
            flight = Load(isUrgent);
        }

        while (flight is not null)
        {
            ExchangeReply reply;
            try
            {
                reply = await _grain.Exchange(flight.Message).ConfigureAwait(false);
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                await FailedAsync(flight).ConfigureAwait(false);
                return;
            }

            var last = Land(flight, in reply, out var goesOn);
            flight = null;
            if (goesOn)
            {
                lock (_gate) flight = Load(isUrgent: false);
            }
            // With nothing else to do, this goes on with the request that it has placed.
            if (flight is null) last?.Answer();
            else last?.AnswerSoon();
        }
    }

    // Everything that there is, up to a bound; null for nothing.
    private Flight? Load(bool isUrgent)
    {
        if (!_isAnnounced) return null;
        if (_fresh.Count == 0 && (_outbox.IsEmpty || !(isUrgent || FeedbackIsDue()))) return null;
        var now = _services.Time.GetTimestamp();
        var asks = _fresh.Count == 0 ? [] : new Ask[Math.Min(_fresh.Count, MaxAsksInFlight)];
        var count = 0;
        while (count < asks.Length && _fresh.TryDequeue(out var ask))
        {
            ask.IsFresh = false;
            if (ask.IsDone || ask.IsWithStandIn) continue;
            ask.AskedAt = now;
            ask.WasAsked = true;
            ask.IsFlying = true;
            ask.Attempt++;
            asks[count++] = ask;
        }
        if (count < asks.Length) Array.Resize(ref asks, count);
        if (count == 0 && _outbox.IsEmpty) return null;
        // Else the signs of life tell it: so many are not looked through for each message.
        if (_open.Count <= FewOpen) _settled = LeastUntold(LeastOpen());
        var calls = count == 0 ? [] : new RouteCall[count];
        for (var i = 0; i < calls.Length; i++) calls[i] = asks[i].Call;
        var message = new Exchange { Feedback = _outbox.Take(_epoch, _key, ++_sequence, _services.Time), Settled = _settled, Calls = calls };
        var flight = new Flight(asks, message, now);
        _lastFlight = now;
        _flights.Add(flight);
        return flight;
    }

    private long LeastOpen()
    {
        var least = _lastNumber + 1;
        foreach (var number in _open.Keys) least = Math.Min(least, number);
        return least;
    }

    // A call that was given up is settled once the pool has heard so: else it would forget what it has to give back.
    private long LeastUntold(long number)
    {
        number = _outbox.LeastCancel(number);
        foreach (var flight in _flights) number = PoolOutbox.LeastCancel(flight.Message.Feedback.Items, number);
        return number;
    }

    // Hands out what it brings, but for the last answer, which is for the caller to hand out. It goes on unless the flight had been given up.
    private Ask? Land(Flight flight, in ExchangeReply reply, out bool goesOn)
    {
        goesOn = false;
        if (reply.Pool.IsSuperseded)
        {
            _ = FailedAsync(flight);
            return null;
        }

        if (!reply.Pool.MustAnnounce) Note(reply.Pool.Shard);
        bool isAwaited;
        lock (_gate)
        {
            isAwaited = _flights.Remove(flight);
            if (isAwaited) End(flight);
            if (isAwaited && reply.Pool.MustAnnounce) _outbox.PutBack(flight.Message.Feedback);
        }

        if (reply.Pool.MustAnnounce)
        {
            // When the pool has been told what is held here, all are asked again.
            Take(reply.Pool);
            return null;
        }

        goesOn = isAwaited;
        if (isAwaited) _patience = _services.Options.SendTimeout;
        Contact();
        Ask? last = null;
        for (var i = 0; i < flight.Asks.Length; i++)
        {
            var ask = flight.Asks[i];
            ref readonly var answer = ref reply.Replies[i];
            if (answer.Kind is ReplyKind.Send or ReplyKind.Refuse && answer.Epoch >= Volatile.Read(ref _epoch))
            {
                if (!TrySettle(ask, answer.ToDecision(), answer.Explained, answer.ShardsVersion)) continue;
                last?.AnswerSoon();
                last = ask;
            }
            else
            {
                _ = AttemptAsync(ask, answer.Kind == ReplyKind.StillWaiting ? TimeSpan.Zero : Take(in answer, ask));
            }
        }
        return last;
    }

    private async Task FailedAsync(Flight flight)
    {
        GiveUp(flight);
        // In real time whatever the clock of decisions: it is the network that needs it.
        await Task.Delay(_services.Options.RetryPause).ConfigureAwait(false);
        StartIfNeeded();
    }

    // What it carried goes again: nothing of it has an effect twice.
    private void GiveUp(Flight flight)
    {
        lock (_gate)
        {
            if (!_flights.Remove(flight)) return;
            End(flight);
            _outbox.PutBack(flight.Message.Feedback);
            foreach (var ask in flight.Asks) Freshen(ask);
        }
    }

    // Messages that do not come back in time, under the clock of decisions.
    private void GiveUpOverdue(long now)
    {
        Flight[] overdue;
        lock (_gate)
        {
            if (_flights.Count == 0) return;
            overdue = [.. _flights.Where(f => _services.Time.GetElapsedTime(f.SentAt, now) >= _patience)];
        }
        foreach (var flight in overdue) GiveUp(flight);
        if (overdue.Length == 0) return;
        BePatient();
        StartIfNeeded();
    }

    // Who takes longer to answer than it takes to ask again would be asked more and more.
    private void BePatient() => _patience = _patience * 2 < MostPatience ? _patience * 2 : MostPatience;

    // Under the lock, when the pool has begun anew: what was sent to where it was before is not expected back. All are asked again.
    private void GiveUpAll()
    {
        foreach (var flight in _flights)
        {
            End(flight);
            _outbox.PutBack(flight.Message.Feedback);
        }
        _flights.Clear();
        _patience = _services.Options.SendTimeout;
    }

    private static void End(Flight flight)
    {
        foreach (var ask in flight.Asks) ask.IsFlying = false;
    }

    private void Freshen(Ask ask)
    {
        if (ask.IsDone || ask.IsFresh || ask.IsWithStandIn) return;
        ask.IsFresh = true;
        _fresh.Enqueue(ask);
    }
}
