using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using static Mesh.Engine.KvEvents.Subscription.SequenceVerdict;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

public class SequenceTrackerTests
{
    private readonly SequenceTracker _tracker = new(hasReplay: true);

    // Fingerprints of one publisher's batches; another publisher's are higher.
    private static ulong Print(ulong sequence, ulong publisher = 0) => (publisher << 32) | sequence;

    [Fact]
    public void New_NotConnected_IsHistory() => Assert.Equal((KvKnowledge.History, false), (_tracker.Knowledge, _tracker.ReplayWanted));

    [Fact]
    public void Connected_AsksForEverythingAndIsExactAfterIt()
    {
        _tracker.Connected();
        Assert.Equal((KvKnowledge.Degraded, true), (_tracker.Knowledge, _tracker.ReplayWanted));
        Assert.Equal(Hold, _tracker.Live(3, Print(3)));
        Assert.Equal(0UL, _tracker.BeginReplay());
        for (var i = 0UL; i < 3; i++) Assert.Equal(Apply, _tracker.Replayed(i, Print(i)));
        _tracker.EndReplay();

        Assert.Equal((KvKnowledge.Exact, true), (_tracker.Knowledge, _tracker.IsComplete));
        Assert.Equal(Apply, _tracker.Place(3, Print(3)));
        Assert.Equal(Apply, _tracker.Live(4, Print(4)));
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Connected_PublisherRemembersOnlyTheLatest_IsExactButNotComplete()
    {
        _tracker.Connected();
        _tracker.BeginReplay();
        Assert.Equal(Apply, _tracker.Replayed(500, Print(500)));
        _tracker.EndReplay();

        Assert.Equal((KvKnowledge.Exact, false, 501UL), (_tracker.Knowledge, _tracker.IsComplete, _tracker.Next));
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Live_Gap_IsReplayedFromTheLastBatchApplied()
    {
        Follow(10);
        Assert.Equal(Hold, _tracker.Live(12, Print(12)));
        Assert.Equal((KvKnowledge.Degraded, 1L), (_tracker.Knowledge, _tracker.Gaps));

        Assert.Equal(9UL, _tracker.BeginReplay());
        Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
        Assert.Equal(Apply, _tracker.Replayed(10, Print(10)));
        Assert.Equal(Apply, _tracker.Replayed(11, Print(11)));
        Assert.Equal(Apply, _tracker.Replayed(12, Print(12)));
        _tracker.EndReplay();

        Assert.Equal(Drop, _tracker.Place(12, Print(12)));
        Assert.Equal(Apply, _tracker.Live(13, Print(13)));
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
    }

    [Fact]
    public void Reconnect_NothingMissed_GoesOn()
    {
        Follow(10);
        _tracker.Disconnected();
        Assert.Equal(KvKnowledge.Degraded, _tracker.Knowledge);
        _tracker.Connected();
        Assert.Equal(9UL, _tracker.BeginReplay());
        Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
        _tracker.EndReplay();

        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
        Assert.Equal(Apply, _tracker.Live(10, Print(10)));
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Reconnect_ShorterSequence_IsARestart()
    {
        Follow(10);
        _tracker.Disconnected();
        _tracker.Connected();
        _tracker.BeginReplay();
        _tracker.EndReplay();

        AssertReset(KvResetReason.PublisherRestarted);
        Assert.True(_tracker.ReplayWanted);
        Assert.Equal(0UL, _tracker.BeginReplay());
        Assert.Equal(Apply, _tracker.Replayed(0, Print(0, 1)));
        _tracker.EndReplay();
        Assert.Equal((KvKnowledge.Exact, true), (_tracker.Knowledge, _tracker.IsComplete));
    }

    [Fact]
    public void Reconnect_SequenceHasGrownPastOurs_IsStillARestart()
    {
        Follow(10);
        _tracker.Disconnected();
        _tracker.Connected();
        _tracker.BeginReplay();

        Assert.Equal(Stop, _tracker.Replayed(9, Print(9, 1)));
        AssertReset(KvResetReason.PublisherRestarted);
        Assert.True(_tracker.ReplayWanted);
        Assert.Equal(0UL, _tracker.BeginReplay());
    }

    [Fact]
    public void Reconnect_GapBeyondThePublishersMemory_ForgetsAndGoesOnFromThere()
    {
        Follow(10);
        _tracker.Disconnected();
        _tracker.Connected();
        _tracker.BeginReplay();

        Assert.Equal(Apply, _tracker.Replayed(700, Print(700)));
        AssertReset(KvResetReason.GapTooOld);
        Assert.Equal(Apply, _tracker.Replayed(701, Print(701)));
        _tracker.EndReplay();
        Assert.Equal((KvKnowledge.Exact, false, 702UL), (_tracker.Knowledge, _tracker.IsComplete, _tracker.Next));
    }

    [Fact]
    public void Reconnect_MemoryBeginsRightAfterOurs_ProvesNothingAndForgets()
    {
        Follow(10);
        _tracker.Disconnected();
        _tracker.Connected();
        _tracker.BeginReplay();

        Assert.Equal(Apply, _tracker.Replayed(10, Print(10, 1)));
        AssertReset(KvResetReason.GapTooOld);
    }

    [Fact]
    public void Live_SequenceFallsBack_IsARestart()
    {
        Follow(10);
        Assert.Equal(HoldAfterClearing, _tracker.Live(0, Print(0, 1)));
        AssertReset(KvResetReason.PublisherRestarted);
        Assert.Equal(0UL, _tracker.BeginReplay());
    }

    [Fact]
    public void Live_SequenceFallsBackDuringAReplay_EndsThatReplay()
    {
        Follow(10);
        Assert.Equal(Hold, _tracker.Live(20, Print(20)));
        _tracker.BeginReplay();
        Assert.Equal(HoldAfterClearing, _tracker.Live(5, Print(5, 1)));
        AssertReset(KvResetReason.PublisherRestarted);

        Assert.Equal(Stop, _tracker.Replayed(9, Print(9)));
        Assert.True(_tracker.ReplayWanted);
        Assert.Equal(0UL, _tracker.BeginReplay());
    }

    [Fact]
    public void Live_TheSameBatchTwice_IsDropped()
    {
        Follow(10);
        Assert.Equal(Drop, _tracker.Live(9, Print(9)));
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Replay_HoleInside_AsksAgainFromWhereItIs()
    {
        _tracker.Connected();
        _tracker.BeginReplay();
        Assert.Equal(Apply, _tracker.Replayed(0, Print(0)));
        Assert.Equal(Stop, _tracker.Replayed(5, Print(5)));
        Assert.True(_tracker.ReplayWanted);

        Assert.Equal(0UL, _tracker.BeginReplay());
        Assert.Equal(Drop, _tracker.Replayed(0, Print(0)));
        for (var i = 1UL; i < 6; i++) Assert.Equal(Apply, _tracker.Replayed(i, Print(i)));
        _tracker.EndReplay();
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Replay_HoleWithoutProgress_IsGivenUpAfterTwo()
    {
        Follow(10);
        Assert.Equal(Hold, _tracker.Live(12, Print(12)));
        for (var round = 0; round < SequenceTracker.MaxFruitless; round++)
        {
            Assert.True(_tracker.ReplayWanted);
            _tracker.BeginReplay();
            Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
            Assert.Equal(Stop, _tracker.Replayed(12, Print(12)));
        }

        Assert.False(_tracker.ReplayWanted);
        AssertReset(KvResetReason.GapNotReplayed);
        Assert.Equal(KvKnowledge.History, _tracker.Knowledge);
        Assert.Equal(Apply, _tracker.Place(12, Print(12)));
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
    }

    [Fact]
    public void Replay_BringsNothingAlthoughAGapIsThere_ForgetsAndGoesOn()
    {
        Follow(10);
        Assert.Equal(Hold, _tracker.Live(12, Print(12)));
        for (var round = 0; round < SequenceTracker.MaxFruitless; round++)
        {
            _tracker.BeginReplay();
            Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
            _tracker.EndReplay();
            if (round + 1 < SequenceTracker.MaxFruitless) Assert.Equal(Hold, _tracker.Place(12, Print(12)));
        }

        Assert.Equal(Apply, _tracker.Place(12, Print(12)));
        AssertReset(KvResetReason.GapNotReplayed);
        Assert.Equal((KvKnowledge.Exact, 13UL), (_tracker.Knowledge, _tracker.Next));
    }

    [Fact]
    public void Replay_FailsThreeTimes_ForgetsAndTakesWhatComesLive()
    {
        Follow(10);
        Assert.Equal(Hold, _tracker.Live(12, Print(12)));
        for (var failure = 0; failure < SequenceTracker.MaxFailures; failure++)
        {
            Assert.True(_tracker.ReplayWanted);
            _tracker.BeginReplay();
            _tracker.FailReplay();
        }

        AssertReset(KvResetReason.ReplayUnavailable);
        Assert.Equal((KvKnowledge.History, false), (_tracker.Knowledge, _tracker.ReplayWanted));
        Assert.Equal(Apply, _tracker.Place(12, Print(12)));
        Assert.Equal((KvKnowledge.Exact, false), (_tracker.Knowledge, _tracker.IsComplete));
        // Until the next connection a gap is not worth another try.
        Assert.Equal(Apply, _tracker.Live(20, Print(20)));
        AssertReset(KvResetReason.GapNotReplayed);
    }

    [Fact]
    public void Replay_NeverAvailable_NothingToForget()
    {
        _tracker.Connected();
        for (var failure = 0; failure < SequenceTracker.MaxFailures; failure++)
        {
            _tracker.BeginReplay();
            _tracker.FailReplay();
        }

        Assert.False(_tracker.TryTakeReset(out _));
        Assert.Equal(Apply, _tracker.Live(0, Print(0)));
        Assert.Equal((KvKnowledge.Exact, true), (_tracker.Knowledge, _tracker.IsComplete));
    }

    [Fact]
    public void Replay_BreaksOffButBringsSomethingEachTime_IsTriedAgain()
    {
        _tracker.Connected();
        for (var i = 0UL; i < 10; i++)
        {
            Assert.True(_tracker.ReplayWanted);
            Assert.Equal(i == 0 ? 0 : i - 1, _tracker.BeginReplay());
            if (i > 0) Assert.Equal(Drop, _tracker.Replayed(i - 1, Print(i - 1)));
            Assert.Equal(Apply, _tracker.Replayed(i, Print(i)));
            _tracker.FailReplay();
        }
        Assert.Equal(KvKnowledge.Degraded, _tracker.Knowledge);
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Replay_RoundsWithoutEnd_AreGivenUp()
    {
        _tracker.Connected();
        for (var i = 0UL; i < SequenceTracker.MaxRounds; i++)
        {
            Assert.True(_tracker.ReplayWanted);
            _tracker.BeginReplay();
            if (i > 0) Assert.Equal(Drop, _tracker.Replayed(i - 1, Print(i - 1)));
            Assert.Equal(Apply, _tracker.Replayed(i, Print(i)));
            _tracker.FailReplay();
        }

        AssertReset(KvResetReason.ReplayUnavailable);
        Assert.False(_tracker.ReplayWanted);
    }

    [Fact]
    public void Check_NothingMissed_ChangesNothing()
    {
        Follow(10);
        Assert.True(_tracker.TryBeginCheck(out var from));
        Assert.Equal((9UL, KvKnowledge.Exact), (from, _tracker.Knowledge));
        Assert.False(_tracker.TryBeginCheck(out _));
        Assert.Equal(Apply, _tracker.Live(10, Print(10)));
        Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
        Assert.Equal(Drop, _tracker.Replayed(10, Print(10)));
        _tracker.EndReplay();

        Assert.Equal((KvKnowledge.Exact, 11UL), (_tracker.Knowledge, _tracker.Next));
    }

    [Fact]
    public void Check_TheLastBatchWasLost_IsApplied()
    {
        Follow(10);
        Assert.True(_tracker.TryBeginCheck(out _));
        Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
        Assert.Equal(Apply, _tracker.Replayed(10, Print(10)));
        _tracker.EndReplay();

        Assert.Equal((KvKnowledge.Exact, 11UL), (_tracker.Knowledge, _tracker.Next));
    }

    [Fact]
    public void Check_AGapMeanwhile_BecomesTheReplay()
    {
        Follow(10);
        Assert.True(_tracker.TryBeginCheck(out _));
        Assert.Equal(Hold, _tracker.Live(12, Print(12)));
        Assert.Equal(KvKnowledge.Degraded, _tracker.Knowledge);
        Assert.Equal(Drop, _tracker.Replayed(9, Print(9)));
        for (var i = 10UL; i < 13; i++) Assert.Equal(Apply, _tracker.Replayed(i, Print(i)));
        _tracker.EndReplay();

        Assert.Equal(Drop, _tracker.Place(12, Print(12)));
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
    }

    [Fact]
    public void Check_Fails_SaysNothing()
    {
        Follow(10);
        for (var i = 0; i < 10; i++)
        {
            Assert.True(_tracker.TryBeginCheck(out _));
            _tracker.FailReplay();
        }

        Assert.Equal((KvKnowledge.Exact, false), (_tracker.Knowledge, _tracker.ReplayWanted));
        Assert.False(_tracker.TryTakeReset(out _));
    }

    [Fact]
    public void Check_AnotherPublisherAnswers_IsARestart()
    {
        Follow(10);
        Assert.True(_tracker.TryBeginCheck(out _));
        Assert.Equal(Stop, _tracker.Replayed(9, Print(9, 1)));

        AssertReset(KvResetReason.PublisherRestarted);
        Assert.True(_tracker.ReplayWanted);
    }

    [Fact]
    public void Abandon_ForgetsAndIsHistory()
    {
        Follow(10);
        _tracker.Disconnected();
        _tracker.Abandon();

        AssertReset(KvResetReason.Unreachable);
        Assert.Equal(KvKnowledge.History, _tracker.Knowledge);
        _tracker.Connected();
        Assert.Equal(0UL, _tracker.BeginReplay());
    }

    [Fact]
    public void Undecodable_ForgetsAndIsHistoryUntilTheNextBatch()
    {
        Follow(10);
        Assert.Equal(Apply, _tracker.Live(10, Print(10)));
        _tracker.Undecodable();

        AssertReset(KvResetReason.Undecodable);
        Assert.Equal((KvKnowledge.History, false), (_tracker.Knowledge, _tracker.IsComplete));
        Assert.Equal(Apply, _tracker.Live(11, Print(11)));
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
    }

    [Fact]
    public void WithoutReplay_FirstBatchMakesItExact()
    {
        var tracker = new SequenceTracker(hasReplay: false);
        tracker.Connected();
        Assert.Equal((KvKnowledge.History, false), (tracker.Knowledge, tracker.ReplayWanted));
        Assert.Equal(Apply, tracker.Live(7, Print(7)));
        Assert.Equal((KvKnowledge.Exact, false), (tracker.Knowledge, tracker.IsComplete));
        Assert.False(tracker.TryBeginCheck(out _));
    }

    [Fact]
    public void WithoutReplay_GapReconnectAndRestart_AllForget()
    {
        var tracker = new SequenceTracker(hasReplay: false);
        tracker.Connected();
        Assert.Equal(Apply, tracker.Live(7, Print(7)));
        Assert.Equal(Apply, tracker.Live(9, Print(9)));
        AssertReset(KvResetReason.GapNotReplayed, tracker);
        tracker.Disconnected();
        tracker.Connected();
        AssertReset(KvResetReason.Reconnected, tracker);
        Assert.Equal(Apply, tracker.Live(10, Print(10)));
        Assert.Equal(Apply, tracker.Live(0, Print(0, 1)));
        AssertReset(KvResetReason.PublisherRestarted, tracker);
        Assert.Equal((KvKnowledge.Exact, true), (tracker.Knowledge, tracker.IsComplete));
    }

    // A publisher that has sent the batches 0 to count-1, all applied.
    private void Follow(ulong count)
    {
        _tracker.Connected();
        _tracker.BeginReplay();
        _tracker.EndReplay();
        for (var i = 0UL; i < count; i++) Assert.Equal(Apply, _tracker.Live(i, Print(i)));
        Assert.Equal(KvKnowledge.Exact, _tracker.Knowledge);
    }

    private void AssertReset(KvResetReason reason, SequenceTracker? tracker = null)
    {
        Assert.True((tracker ?? _tracker).TryTakeReset(out var taken));
        Assert.Equal(reason, taken);
        Assert.False((tracker ?? _tracker).TryTakeReset(out _));
    }
}
