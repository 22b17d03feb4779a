using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Peers;

/// <summary>
/// What may still be sent to one peer. Each report sets a limit: the requests that have arrived there, and the grant on top of them. What was sent and has not
/// arrived counts against it, so that neither a long way nor a burst between two reports sends more than was granted. A request costs one credit whatever its
/// size, and the last one may be a fraction, so that a small grant never starves anybody. Requests that got lost on the way are written off once nothing can
/// be on its way any more. Where the peer says how many it is working on, the limit may be on those in flight instead: each that ends, which is known here as its
/// answer ends, then gives its place back to the next one, and no report needs to tell of it.
/// </summary>
internal sealed class CreditAccount(long epoch, int inFlight = 0)
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
    private double _windowPreferred = double.NegativeInfinity;
    private double _window = double.NegativeInfinity;
    private TimeSpan _sentAt;

    /// <summary>Epoch that requests are sent with: the peer counts those of one epoch together.</summary>
    public long Epoch => epoch;

    /// <summary>Requests ever sent.</summary>
    public long Forwarded { get; private set; }

    /// <summary>Requests there that have not ended.</summary>
    public int InFlight { get; private set; } = inFlight;

    /// <summary>Requests ever sent, or what the peer says has arrived where that is more.</summary>
    public long Sent { get; private set; }

    /// <summary>Requests that the last report did not count yet.</summary>
    public long OnTheirWay => Sent - _received - _lost;

    /// <summary>Requests that may be sent to any backend there.</summary>
    public double Available => Math.Max(_grant - OnTheirWay, _window - InFlight);

    /// <summary>Requests that may be sent to its preferred backends.</summary>
    public double AvailablePreferred => Math.Max(_grantPreferred - OnTheirWay, _windowPreferred - InFlight);

    /// <summary>Counts a request that is sent.</summary>
    public void Send(double workMs, TimeSpan now)
    {
        Forwarded++;
        InFlight++;
        _workMs[Sent++ % Remembered] = workMs;
        _sentAt = now;
    }

    /// <summary>So many have been sent, as those tell who send them; they may tell late, but never of fewer than before.</summary>
    public void SetSent(long sent, TimeSpan now)
    {
        if (sent > Forwarded) (Forwarded, _sentAt) = (sent, now);
        Sent = Math.Max(Sent, sent);
    }

    /// <summary>Takes over a request that was sent under an earlier state of the pool.</summary>
    public void Adopt() => InFlight++;

    /// <summary>A request there has ended.</summary>
    public void End() => InFlight--;

    /// <summary>No more until the next report.</summary>
    public void Close() => _grant = _grantPreferred = _window = _windowPreferred = double.NegativeInfinity;

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

        if (report.Hosted is { } hosted) (_windowPreferred, _window) = (report.Tiers is [{ Preference: BackendPreference.Preferred }] ? hosted + _grantPreferred : double.NegativeInfinity, hosted + _grant);
        else _windowPreferred = _window = double.NegativeInfinity;
    }

    /// <summary>Adds to a ladder what is on its way.</summary>
    public void AddOnTheirWay(WaitLadder ladder)
    {
        for (var i = Math.Max(Sent - OnTheirWay, Sent - Remembered); i < Sent; i++) ladder.Add(_workMs[i % Remembered]);
    }
}
