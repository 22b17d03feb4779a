using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Peers;

/// <summary>
/// What may still be sent to one peer. Each report sets a limit: the requests that have arrived there, and the grant on top of them. What was sent and has not
/// arrived counts against it, so that neither a long way nor a burst between two reports sends more than was granted. A request costs one credit whatever its
/// size, and the last one may be a fraction, so that a small grant never starves anybody. Requests that got lost on the way are written off once nothing can
/// be on its way any more.
/// </summary>
internal sealed class CreditAccount(long epoch)
{
    // What has not arrived after this long, with no answer outstanding, never will.
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(1);
    private const int Remembered = 256;
    private readonly double[] _workMs = new double[Remembered];
    private long _received;
    private long _lost;
    private long _peerEpoch;
    private double _grantPreferred;
    private double _grant;
    private TimeSpan _sentAt;

    /// <summary>Epoch that requests are sent with: the peer counts those of one epoch together.</summary>
    public long Epoch => epoch;

    /// <summary>Requests ever sent.</summary>
    public long Forwarded { get; private set; }

    /// <summary>The same, or what the peer says has arrived where that is more.</summary>
    public long Sent { get; private set; }

    /// <summary>Requests that the last report did not count yet.</summary>
    public long OnTheirWay => Sent - _received - _lost;

    /// <summary>Requests that may be sent to any backend there.</summary>
    public double Available => _grant - OnTheirWay;

    /// <summary>Requests that may be sent to its preferred backends.</summary>
    public double AvailablePreferred => _grantPreferred - OnTheirWay;

    /// <summary>Counts a request that is sent.</summary>
    public void Send(double workMs, TimeSpan now)
    {
        Forwarded++;
        _workMs[Sent++ % Remembered] = workMs;
        _sentAt = now;
    }

    /// <summary>So many have been sent, as those tell who send them; they may tell late, but never of fewer than before.</summary>
    public void SetSent(long sent, TimeSpan now)
    {
        if (sent > Forwarded) (Forwarded, _sentAt) = (sent, now);
        Sent = Math.Max(Sent, sent);
    }

    /// <summary>No more until the next report.</summary>
    public void Close() => _grant = _grantPreferred = double.NegativeInfinity;

    /// <summary>Takes a report.</summary>
    /// <param name="report">The peer's part for this pool.</param>
    /// <param name="awaited">Requests there whose answers have not begun.</param>
    /// <param name="now">Now.</param>
    public void Apply(PoolReport report, int awaited, TimeSpan now)
    {
        var received = report.ReceivedEpoch == epoch ? report.Received : 0;
        // Another state counts from its own beginning: only what is unanswered can still be on its way there.
        if (report.Epoch != _peerEpoch) _lost = Math.Max(0, Sent - received - awaited);
        (_peerEpoch, _received) = (report.Epoch, received);
        if (received > Sent) Sent = received;
        if (awaited == 0 && now - _sentAt > LongestWay) _lost = Sent - received;
        // One that was written off and arrived after all.
        _lost = Math.Clamp(_lost, 0, Sent - received);
        (_grantPreferred, _grant) = (0, 0);
        foreach (var tier in report.Tiers)
        {
            if (tier.Preference == BackendPreference.Preferred) _grantPreferred += tier.Grant;
            _grant += tier.Grant;
        }
    }

    /// <summary>Adds to a ladder what is on its way.</summary>
    public void AddOnTheirWay(WaitLadder ladder)
    {
        for (var i = Math.Max(Sent - OnTheirWay, Sent - Remembered); i < Sent; i++) ladder.Add(_workMs[i % Remembered]);
    }
}
