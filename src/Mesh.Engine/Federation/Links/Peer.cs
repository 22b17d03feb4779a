using System.Collections.Immutable;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Links;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation.Frames;
using Mesh.Engine.Monitoring;

namespace Mesh.Engine.Federation.Links;

/// <summary>
/// One peer: what has come from it, what has been sent to it, and how the link is in both directions. All times are this process's own.
/// Thread-safe.
/// </summary>
internal sealed class Peer : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly PeerLink _link;
    private readonly RoundTripMeter _roundTrip = new();
    private readonly SentLog _sent = new();
    private readonly ByteRate _received = new();
    private readonly ByteRate _sentBytes = new();
    private readonly WakeableDelay _pause;
    private readonly CancellationTokenSource _removed = new();
    private CancellationTokenSource _reachable = new();
    private CancellationTokenSource? _publishing;
    private CancellationTokenSource? _following;
    private long _openEpoch;
    private bool _restarted;
    private PeerReach _reach;
    private PeerReach _toldReach;
    private PeerIdentity? _identity;
    private string _address = "";
    private string? _error;
    private bool _refused;
    private bool _wasReached;
    private long _connections;
    private long _heardSequence;
    private TimeSpan? _heardAt;
    private long _sentSequence;
    private TimeSpan _sentAt;
    private TimeSpan? _echoSentAt;
    private TimeSpan _streamBegan;
    private double _granted;
    private ReportSections _read = ReportSections.Empty;
    private ImmutableArray<PoolReport> _pools = [];

    public Peer(PeerAddress address, RegionOptions options, TimeProvider time)
    {
        Address = address;
        _time = time;
        _start = time.GetTimestamp();
        _pause = new WakeableDelay(time);
        Removed = _removed.Token;
        _link = new PeerLink(address.Region, time, options);
    }

    /// <summary>As configured.</summary>
    public PeerAddress Address { get; }

    /// <summary>Whether a change of reach is to be told, and from what: null for a suspicion, and for what a suspicion ends in when that was told before it.</summary>
    /// <remarks>Called by one thread at a time.</remarks>
    public PeerReach? Tell(PeerReach after)
    {
        if (after == PeerReach.Suspect || after == _toldReach) return null;
        var before = _toldReach;
        _toldReach = after;
        return before;
    }

    /// <summary>The configuration that it says it goes by.</summary>
    public ConfigTag Config { get; private set; } = ConfigTag.None;

    /// <summary>Where its configuration can be asked for; null before it has answered.</summary>
    public Uri? Url { get; private set; }

    /// <summary>Cancelled when the peer becomes unreachable; another token holds from when it is back.</summary>
    public CancellationToken Reachable
    {
        get
        {
            lock (_gate) return _reachable.Token;
        }
    }

    /// <summary>Cancelled when it is no peer any more.</summary>
    public CancellationToken Removed { get; }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>An attempt to follow it begins; it ends when the peer turns out to have started anew.</summary>
    public void BeginFollowing(CancellationTokenSource following)
    {
        lock (_gate) (_following, _openEpoch, _restarted) = (following, 0, false);
    }

    /// <summary>That attempt is over; true when that was because the peer has started anew.</summary>
    public bool EndFollowing()
    {
        lock (_gate)
        {
            _following = null;
            return _restarted;
        }
    }

    /// <summary>
    /// The peer has come for our reports: it is there, and what it says arrives. Whoever pauses before the next attempt need not any longer, and a stream of
    /// an earlier start of it is dead, whether its connection knows or not.
    /// </summary>
    /// <param name="epoch">Its start.</param>
    public void Greeted(long epoch)
    {
        lock (_gate)
        {
            if (_following is { } following && _openEpoch != 0 && _openEpoch != epoch)
            {
                _restarted = true;
                _following = null;
                following.Cancel();
            }
        }

        _pause.Wake();
    }

    /// <summary>Waits before the next attempt, until the peer greets; true when it has.</summary>
    public Task<bool> PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => _pause.WaitAsync(pause, cancellationToken);

    /// <summary>The stream of its reports is open.</summary>
    public void Connected(Uri url, PeerIdentity identity)
    {
        lock (_gate)
        {
            // Another start of the peer numbers from 1 again.
            if (_identity?.Epoch != identity.Epoch) (_heardSequence, _heardAt) = (0, null);
            (_identity, Url, _address, _error, _refused) = (identity, url, url.GetLeftPart(UriPartial.Authority), null, false);
            _openEpoch = identity.Epoch;
            _connections++;
        }
    }

    /// <summary>The stream has ended, or could not be opened.</summary>
    /// <param name="error">Why, in words.</param>
    /// <param name="refused">One side does not take the other for its peer.</param>
    /// <returns>True when that is something new, for the log.</returns>
    public bool Lost(string error, bool refused)
    {
        lock (_gate)
        {
            var isNew = error != _error;
            (_error, _refused) = (error, refused);
            _link.Lose();
            return isNew;
        }
    }

    /// <summary>An event of its stream has come. Gives the report to hand on, the round trip when it has been measured, and whether the link is another than before.</summary>
    /// <param name="frame">The event.</param>
    /// <param name="bytes">Its size on the wire.</param>
    /// <param name="ownEpoch">Start of this process.</param>
    public (RegionReport? Report, TimeSpan? RoundTrip, bool IsTurn) Received(ReportFrame frame, int bytes, long ownEpoch)
    {
        lock (_gate)
        {
            // Most events of an idle peer change nothing.
            if (!ReferenceEquals(frame.Sections, _read)) (_read, _pools) = (frame.Sections, PoolSections.Read(frame.Sections));
            var now = Now;
            _received.Add(bytes, now);
            TimeSpan? roundTrip = null;
            TimeSpan? heardAge = null;
            if (frame.HeardEpoch == ownEpoch && frame.HeardSequence > 0)
            {
                heardAge = frame.HeardAgo;
                if (_sent.Find(frame.HeardSequence) is { } sentAt)
                {
                    roundTrip = now - sentAt - frame.HeardAgo;
                    _roundTrip.Add(roundTrip.Value, now);
                    if (_echoSentAt is null || sentAt > _echoSentAt) _echoSentAt = sentAt;
                }
            }

            Config = frame.Config;
            var report = new RegionReport
            {
                Region = Address.Region,
                Instance = _identity!.Epoch,
                Sequence = frame.Sequence,
                HeardAge = heardAge,
                ConfigVersion = frame.Config.Version,
                SoftwareVersion = _identity.Version,
                Pools = _pools,
            };
            var before = _link.State;
            if (!_link.Hear(report)) return (null, roundTrip, false);
            // The first word on a new stream is one as well: the peer waits to hear that it has been heard.
            var isTurn = _heardAt is null || frame.IsFull || _link.State != before;
            (_heardSequence, _heardAt) = (frame.Sequence, now);
            return (report, roundTrip is null ? null : _roundTrip.Least, isTurn);
        }
    }

    /// <summary>A stream to the peer begins; one that is still open ends. Cancelled when the next one begins.</summary>
    public CancellationTokenSource BeginPublishing(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _publishing?.Cancel();
            _publishing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (_removed.IsCancellationRequested) _publishing.Cancel();
            return _publishing;
        }
    }

    /// <summary>A stream to the peer has ended.</summary>
    public void EndPublishing(CancellationTokenSource publishing)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_publishing, publishing)) _publishing = null;
        }

        publishing.Dispose();
    }

    /// <summary>
    /// The head of the next event to the peer, or null when so many are on their way that the peer says nothing of that another one would only
    /// make it read old ones: the newest is sent when it goes on.
    /// </summary>
    /// <param name="sections">The report.</param>
    /// <param name="config">Own configuration.</param>
    /// <param name="isFull">True for the first of a stream.</param>
    /// <param name="interval">Time between two reports.</param>
    /// <param name="granted">Requests that the report grants.</param>
    public ReportFrame? Next(ReportSections sections, ConfigTag config, bool isFull, TimeSpan interval, double granted)
    {
        const int OnTheWay = 16;
        lock (_gate)
        {
            var now = Now;
            if (isFull) _streamBegan = now;
            if (!isFull && _echoSentAt is { } echo && now - _sentAt < interval * OnTheWay)
            {
                var usual = (_roundTrip.Smoothed ?? TimeSpan.Zero) * 2;
                // What was said before this stream began is nothing to wait for an echo of.
                if (now - (echo > _streamBegan ? echo : _streamBegan) > (interval * OnTheWay) + usual) return null;
            }

            _granted = granted;
            _sentAt = now;
            _sent.Add(++_sentSequence, now);
            return new ReportFrame
            {
                Sequence = _sentSequence,
                HeardSequence = _heardAt is null ? 0 : _heardSequence,
                HeardEpoch = _heardAt is null ? 0 : _identity!.Epoch,
                HeardAgo = _heardAt is { } heard ? now - heard : TimeSpan.Zero,
                Config = config,
                IsFull = isFull,
                Sections = sections,
            };
        }
    }

    /// <summary>Bytes went to the peer.</summary>
    public void Sent(int bytes)
    {
        lock (_gate) _sentBytes.Add(bytes, Now);
    }

    /// <summary>Looks at the link; gives the state when it has changed since the last look. What waits for the peer is let go when it became unreachable.</summary>
    public (PeerReach Before, PeerReach After)? Look()
    {
        CancellationTokenSource? lost = null;
        (PeerReach, PeerReach) change;
        lock (_gate)
        {
            var now = ReachNow();
            if (now == _reach) return null;
            change = (_reach, now);
            _reach = now;
            _wasReached |= now == PeerReach.Healthy;
            if (now is PeerReach.Unreachable or PeerReach.Refused) (lost, _reachable) = (_reachable, new CancellationTokenSource());
        }

        lost?.Cancel();
        return change;
    }

    /// <summary>What is known of it. Credits and requests under way are the pools' to tell.</summary>
    public PeerLinkSnapshot Snapshot()
    {
        lock (_gate)
        {
            var now = Now;
            return new PeerLinkSnapshot
            {
                Name = Address.Name,
                Region = Address.Region,
                State = ReachNow(),
                Address = _address.Length > 0 ? _address : Address.Urls[0].GetLeftPart(UriPartial.Authority),
                Version = _identity?.Version ?? "",
                RoundTrip = _roundTrip.Least,
                SmoothedRoundTrip = _roundTrip.Smoothed,
                ReportAge = _link.Age,
                EchoAge = _echoSentAt is { } echo ? now - echo : null,
                Sequence = _heardSequence,
                Granted = _granted,
                ConfigVersion = Config.Version,
                ConfigHash = Config.Hash,
                ReceivedBytesPerSecond = _received.At(now),
                SentBytesPerSecond = _sentBytes.At(now),
                ReceivedBytes = _received.Total,
                SentBytes = _sentBytes.Total,
                Connections = _connections,
                LastError = _error,
            };
        }
    }

    /// <summary>It is no peer any more, or the exchange ends.</summary>
    public void Dispose()
    {
        CancellationTokenSource reachable;
        lock (_gate)
        {
            if (_removed.IsCancellationRequested) return;
            _removed.Cancel();
            _publishing?.Cancel();
            reachable = _reachable;
        }

        reachable.Cancel();
        // Without a timer or a wait handle of their own they hold nothing: whoever still has their tokens may go on asking them.
        _pause.Dispose();
    }

    private PeerReach ReachNow() => _link.State switch
    {
        PeerLinkState.Fresh => PeerReach.Healthy,
        PeerLinkState.Suspect => PeerReach.Suspect,
        _ when _refused => PeerReach.Refused,
        _ when _reach is PeerReach.Connecting or PeerReach.Refused && !_wasReached => PeerReach.Connecting,
        _ => PeerReach.Unreachable,
    };
}
