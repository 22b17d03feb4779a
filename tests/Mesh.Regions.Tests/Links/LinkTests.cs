using Mesh.Core.Regions;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Frames;
using Mesh.Engine.Federation.Links;
using Mesh.Testing;

namespace Mesh.Regions.Tests.Links;

public sealed class LinkTests
{
    private const long Epoch = 5;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly PeerAddress Address = new("b", "b", [new Uri("http://127.0.0.1:1")]);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void RoundTrip_LeastOfTheLastWhile_ForgetsAShorterWayInTheEnd()
    {
        var meter = new RoundTripMeter();
        meter.Add(TimeSpan.FromMilliseconds(40), TimeSpan.Zero);
        for (var s = 1; s < 30; s++) meter.Add(TimeSpan.FromMilliseconds(80), TimeSpan.FromSeconds(s));
        Assert.Equal(TimeSpan.FromMilliseconds(40), meter.Least);
        for (var s = 30; s < 95; s++) meter.Add(TimeSpan.FromMilliseconds(80), TimeSpan.FromSeconds(s));
        Assert.Equal(TimeSpan.FromMilliseconds(80), meter.Least);
        Assert.InRange(meter.Smoothed!.Value.TotalMilliseconds, 79, 80);
    }

    [Fact]
    public void BackOff_FailuresInARow_DoublesToItsBoundAndIsNeverExact()
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(500), 1);
        var bounds = new[] { 50.0, 100, 200, 400, 500, 500, 500 };
        var pauses = bounds.Select(_ => backOff.Next().TotalMilliseconds).ToArray();
        for (var i = 0; i < bounds.Length; i++) Assert.InRange(pauses[i], bounds[i] / 2, bounds[i]);
        Assert.Equal(pauses.Length, pauses.Distinct().Count());
        backOff.Reset();
        Assert.InRange(backOff.Next().TotalMilliseconds, 25, 50);
    }

    [Fact]
    public void SentLog_OldNumber_IsForgotten()
    {
        var log = new SentLog();
        for (var i = 1; i <= 300; i++) log.Add(i, TimeSpan.FromSeconds(i));
        Assert.Null(log.Find(44));
        Assert.Equal(TimeSpan.FromSeconds(45), log.Find(45));
        Assert.Null(log.Find(0));
    }

    [Fact]
    public void Received_EchoOfOurReport_MeasuresTheRoundTripWhateverTheOtherClock()
    {
        using var peer = Connected();
        peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0);
        _time.Advance(TimeSpan.FromMilliseconds(130));
        // The peer had heard it for 50 ms when it sent this.
        var (report, roundTrip, _) = peer.Received(Frame(1, heard: 1, ago: 50), 100, Epoch);
        Assert.Equal(TimeSpan.FromMilliseconds(80), roundTrip);
        Assert.Equal(TimeSpan.FromMilliseconds(50), report!.HeardAge);
        Assert.Equal(TimeSpan.FromMilliseconds(80), peer.Snapshot().RoundTrip);
    }

    [Fact]
    public void Received_EchoOfAnEarlierStart_CountsAsNeverHeard()
    {
        using var peer = Connected();
        peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0);
        var (report, roundTrip, _) = peer.Received(Frame(1, heard: 1, ago: 0) with { HeardEpoch = Epoch - 1 }, 100, Epoch);
        Assert.Null(report!.HeardAge);
        Assert.Null(roundTrip);
    }

    [Fact]
    public void Look_SilenceThenReports_SuspectUnreachableAndBack()
    {
        using var peer = Connected();
        Hear(peer, 1, 4);
        Assert.Equal((PeerReach.Connecting, PeerReach.Healthy), peer.Look());
        var reachable = peer.Reachable;
        _time.Advance(TimeSpan.FromMilliseconds(301));
        Assert.Equal((PeerReach.Healthy, PeerReach.Suspect), peer.Look());
        Assert.False(reachable.IsCancellationRequested);
        _time.Advance(TimeSpan.FromMilliseconds(700));
        Assert.Equal((PeerReach.Suspect, PeerReach.Unreachable), peer.Look());
        Assert.True(reachable.IsCancellationRequested);
        Assert.False(peer.Reachable.IsCancellationRequested);
        Hear(peer, 10, 3);
        Assert.Equal((PeerReach.Unreachable, PeerReach.Healthy), peer.Look());
    }

    [Fact]
    public void Tell_SuspicionsBetween_GoesOnFromWhatWasTold()
    {
        using var peer = Connected();
        // A link often begins suspect, until both sides are heard: that it is healthy then is news.
        Assert.Null(peer.Tell(PeerReach.Suspect));
        Assert.Equal(PeerReach.Connecting, peer.Tell(PeerReach.Healthy));
        Assert.Null(peer.Tell(PeerReach.Suspect));
        Assert.Null(peer.Tell(PeerReach.Healthy));
        Assert.Null(peer.Tell(PeerReach.Suspect));
        Assert.Equal(PeerReach.Healthy, peer.Tell(PeerReach.Unreachable));
        Assert.Null(peer.Tell(PeerReach.Suspect));
        Assert.Equal(PeerReach.Unreachable, peer.Tell(PeerReach.Healthy));
    }

    [Fact]
    public void Look_PeerHearsUsNoMore_IsSuspectThoughItsReportsCome()
    {
        using var peer = Connected();
        Hear(peer, 1, 4);
        peer.Look();
        for (var i = 5; i < 12; i++)
        {
            _time.Advance(Interval);
            peer.Received(Frame(i, heard: 1, ago: i * 100), 100, Epoch);
        }

        Assert.Equal((PeerReach.Healthy, PeerReach.Suspect), peer.Look());
    }

    [Fact]
    public void Next_PeerEchoesNothingForLong_HoldsBackUntilItGoesOn()
    {
        using var peer = Connected();
        Assert.NotNull(peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0));
        peer.Received(Frame(1, heard: 1, ago: 0), 100, Epoch);
        var sent = 0;
        for (var i = 0; i < 60; i++)
        {
            _time.Advance(Interval);
            if (peer.Next(ReportSections.Empty, ConfigTag.None, isFull: false, Interval, 0) is not null) sent++;
        }

        // Sixteen go out on trust, then one now and then, to find out whether the peer reads again.
        Assert.InRange(sent, 16, 22);
        peer.Received(Frame(2, heard: peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0)!.Sequence, ago: 0), 100, Epoch);
        _time.Advance(Interval);
        Assert.NotNull(peer.Next(ReportSections.Empty, ConfigTag.None, isFull: false, Interval, 0));
    }

    [Fact]
    public void Next_NewStreamAfterALongSilence_IsNotHeldBack()
    {
        using var peer = Connected();
        peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0);
        peer.Received(Frame(1, heard: 1, ago: 0), 100, Epoch);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(peer.Next(ReportSections.Empty, ConfigTag.None, isFull: true, Interval, 0));
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(Interval);
            Assert.NotNull(peer.Next(ReportSections.Empty, ConfigTag.None, isFull: false, Interval, 0));
        }
    }

    [Fact]
    public void Lost_SameReasonAgain_IsNotNews()
    {
        using var peer = Connected();
        Assert.True(peer.Lost("refused", refused: false));
        Assert.False(peer.Lost("refused", refused: false));
        Assert.True(peer.Lost("reset", refused: false));
        Assert.Equal("reset", peer.Snapshot().LastError);
    }

    [Fact]
    public void BeginPublishing_ReaderComesAgain_EndsTheOldStream()
    {
        using var peer = Connected();
        var first = peer.BeginPublishing(CancellationToken.None);
        var second = peer.BeginPublishing(CancellationToken.None);
        Assert.True(first.IsCancellationRequested);
        Assert.False(second.IsCancellationRequested);
        peer.EndPublishing(first);
        peer.EndPublishing(second);
    }

    private static ReportFrame Frame(long sequence, long heard, double ago) =>
        new() { Sequence = sequence, HeardSequence = heard, HeardEpoch = Epoch, HeardAgo = TimeSpan.FromMilliseconds(ago), IsFull = true };

    private Peer Connected()
    {
        var peer = new Peer(Address, new RegionOptions { ReportInterval = Interval }, _time);
        peer.Connected(Address.Urls[0], new PeerIdentity("b", "b", FederationHub.Protocol, 9, "1.0"));
        return peer;
    }

    private void Hear(Peer peer, int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            peer.Received(Frame(first + i, heard: 1, ago: 10), 100, Epoch);
            if (i < count - 1) _time.Advance(Interval);
        }
    }
}
