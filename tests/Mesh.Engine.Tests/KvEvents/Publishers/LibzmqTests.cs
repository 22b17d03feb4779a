using System.Buffers.Binary;
using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>The whole subscription against real publishers over libzmq.</summary>
[Collection(nameof(LibzmqTests))]
public class LibzmqTests(ITestOutputHelper output)
{
    private static readonly KvEventSubscriberOptions Quick = new()
    {
        TailCheckInterval = TimeSpan.FromSeconds(1),
        LongestReconnectWait = TimeSpan.FromMilliseconds(500),
        ForgetAfter = TimeSpan.FromSeconds(60),
    };

    [PyzmqFact]
    public async Task AMillionEvents_PublisherKilledInTheMiddleAndBatchesLost_EveryEventOnceAndInOrder()
    {
        const int batches = 50_000, events = 20;
        var progress = Path.GetTempFileName();
        await File.WriteAllBytesAsync(progress, new byte[8]);
        // All of them can be replayed: a machine that is busy with other things falls behind by any number.
        object[] common = ["--batches", batches, "--events", events, "--rate", 8000, "--memory", batches, "--lose", 500, "--progress", progress];
        var sink = new CountingSink();
        var first = await LibzmqPublisher.StartAsync(common);
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", first.Port, first.ReplayPort), sink, Quick);
        await WaitAsync(subscriber, sink, () => sink.Events >= batches * events / 2, 120);
        await first.KillAsync();
        var sent = BinaryPrimitives.ReadInt64LittleEndian(await File.ReadAllBytesAsync(progress));
        await first.DisposeAsync();

        // The next process knows what the killed one had published, and goes on; the last batches are lost and must be found by a check.
        await using var second = await LibzmqPublisher.StartAsync([.. common, "--first", sent, "--pub", first.Port, "--replay", first.ReplayPort, "--lose-from", batches - 3, "--lose-to", batches]);
        await WaitAsync(subscriber, sink, () => sink.Events == (long)batches * events, 120);
        await second.DoneAsync();

        var status = subscriber.Status;
        output.WriteLine($"killed after {sent} batches; {status.Counters}");
        File.Delete(progress);
        Assert.Null(sink.Fault);
        Assert.Empty(sink.Resets);
        Assert.Equal((long)batches * events, sink.Expected);
        Assert.Equal((KvKnowledge.Exact, true, (ulong)batches), (status.Knowledge, status.IsComplete, status.NextSequence));
        Assert.Equal((batches, 2L), (status.Counters.Batches, status.Counters.Connections));
        Assert.Equal((long)batches * events, status.Counters.StoredEvents + status.Counters.RemovedEvents + status.Counters.ClearedEvents);
        // Of 100 lost batches: one replay makes up for several where the subscriber is behind.
        Assert.True(status.Counters.Gaps > 1 && status.Counters.ReplayedBatches > 20, $"{status.Counters}");
    }

    [PyzmqFact]
    public async Task PublisherStartsAfresh_SequenceFarAhead_ForgetsAndLearnsTheNewCacheWhole()
    {
        var sink = new CountingSink();
        var first = await LibzmqPublisher.StartAsync("--batches", 300, "--arrays", "--bytes");
        await using var subscriber = new RunningSubscriber(
            new KvEventSource("127.0.0.1", first.Port, first.ReplayPort), sink, Quick with { FirstReconnectWait = TimeSpan.FromSeconds(2), LongestReconnectWait = TimeSpan.FromSeconds(4) });
        await WaitAsync(subscriber, sink, () => sink.Events == 6000);
        await first.DisposeAsync();
        await using var second = await LibzmqPublisher.StartAsync("--batches", 900, "--generation", 1, "--arrays", "--bytes", "--pub", first.Port, "--replay", first.ReplayPort);
        await second.DoneAsync();
        await WaitAsync(subscriber, sink, () => sink.Generation == 1 && sink.Events == 18_000);

        Assert.Null(sink.Fault);
        Assert.Equal([KvResetReason.PublisherRestarted], sink.Resets);
        Assert.Equal((KvKnowledge.Exact, true), (subscriber.Status.Knowledge, subscriber.Status.IsComplete));
    }

    [PyzmqFact]
    public async Task ReplayLargerThanTheRoutersQueue_ArrivesWholeAllTheSame()
    {
        // libzmq's ROUTER silently drops what exceeds its queue of 1000 messages; megabytes of padding make sure that it fills.
        var sink = new CountingSink();
        await using var publisher = await LibzmqPublisher.StartAsync("--batches", 4000, "--events", 2, "--padding", 20_000);
        await publisher.DoneAsync();
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, publisher.ReplayPort), sink, Quick with { ReplayIdleTimeout = TimeSpan.FromSeconds(1) });
        await WaitAsync(subscriber, sink, () => sink.Events == 8000);
        await Poll.UntilAsync(() => subscriber.Status.Knowledge == KvKnowledge.Exact, () => subscriber.Status.ToString());

        output.WriteLine(subscriber.Status.ToString());
        Assert.Null(sink.Fault);
        Assert.Empty(sink.Resets);
        Assert.True(subscriber.Status.IsComplete);
    }

    [PyzmqFact]
    public async Task GapBeyondThePublishersMemory_ForgetsAndGoesOn()
    {
        var sink = new CountingSink();
        await using var publisher = await LibzmqPublisher.StartAsync("--batches", 3000, "--rate", 1000, "--memory", 50, "--lose-from", 1500, "--lose-to", 2000);
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, publisher.ReplayPort), sink, Quick with { TailCheckInterval = TimeSpan.FromSeconds(10) });
        await WaitAsync(subscriber, sink, () => sink.Expected == 60_000);

        Assert.Null(sink.Fault);
        Assert.Equal([KvResetReason.GapTooOld], sink.Resets);
        Assert.Equal((KvKnowledge.Exact, false), (subscriber.Status.Knowledge, subscriber.Status.IsComplete));
    }

    [PyzmqFact]
    public async Task NoReplayAddress_FollowsFromTheFirstBatchSeen_AndForgetsAtAGap()
    {
        var sink = new CountingSink();
        await using var publisher = await LibzmqPublisher.StartAsync("--batches", 2000, "--rate", 1000, "--replay", -1, "--lose-from", 1500, "--lose-to", 1501);
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port), sink, Quick);
        await WaitAsync(subscriber, sink, () => sink.Expected == 40_000);

        Assert.Null(sink.Fault);
        Assert.Equal([KvResetReason.GapNotReplayed], sink.Resets);
        Assert.Equal(499 * 20, sink.Events);
        Assert.Equal(KvKnowledge.Exact, subscriber.Status.Knowledge);
    }

    [PyzmqFact]
    public async Task ReplayAddressIsDead_FollowsAllTheSame()
    {
        var sink = new CountingSink();
        await using var publisher = await LibzmqPublisher.StartAsync("--batches", 3000, "--rate", 1000, "--replay", -1);
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, 1), sink, Quick);
        await WaitAsync(subscriber, sink, () => sink.Expected == 60_000);

        Assert.Null(sink.Fault);
        Assert.Equal((KvKnowledge.Exact, 3L), (subscriber.Status.Knowledge, subscriber.Status.Counters.FailedReplays));
    }

    [PyzmqFact]
    public async Task Topic_OnlyItsMessagesCome()
    {
        var (wanted, other) = (new CountingSink(), new CountingSink());
        await using var publisher = await LibzmqPublisher.StartAsync("--batches", 2000, "--rate", 1000, "--topic", "kv-events@pod-0", "--replay", -1);
        await using var prefix = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, Topic: "kv-events"), wanted, Quick);
        await using var another = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, Topic: "metrics"), other, Quick, seed: 2);
        await WaitAsync(prefix, wanted, () => wanted.Expected == 40_000);

        Assert.Null(wanted.Fault);
        Assert.Equal((0, 1L, KvKnowledge.History), (other.Events, another.Status.Counters.Connections, another.Status.Knowledge));
    }

    [PyzmqFact]
    public async Task PublisherGoneForGood_ForgetsInTime()
    {
        var sink = new CountingSink();
        var publisher = await LibzmqPublisher.StartAsync("--batches", 100);
        await using var subscriber = new RunningSubscriber(new KvEventSource("127.0.0.1", publisher.Port, publisher.ReplayPort), sink, Quick with { ForgetAfter = TimeSpan.FromSeconds(1) });
        await WaitAsync(subscriber, sink, () => sink.Events == 2000);
        await publisher.DisposeAsync();
        await Poll.UntilAsync(() => subscriber.Status.Knowledge == KvKnowledge.Degraded, () => subscriber.Status.ToString());
        await Poll.UntilAsync(() => subscriber.Status.Knowledge == KvKnowledge.History, () => subscriber.Status.ToString(), 5);

        Assert.Equal([KvResetReason.Unreachable], sink.Resets);
        Assert.Null(sink.Fault);
    }

    private static Task WaitAsync(RunningSubscriber subscriber, CountingSink sink, Func<bool> condition, int timeoutSeconds = 60) => Poll.UntilAsync(
        () => condition() || sink.Fault is not null, () => $"{sink.Events} events, next {sink.Generation}/{sink.Expected}, resets {string.Join(' ', sink.Resets)}; {subscriber.Status}", timeoutSeconds);
}
