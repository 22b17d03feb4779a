using System.Buffers.Binary;
using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Tests.KvEvents.MessagePack;
using Mesh.Engine.Tests.KvEvents.Zmtp;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

/// <summary>The subscriber against a peer that says exactly what the test says.</summary>
public sealed class KvEventSubscriberTests : IDisposable
{
    private static readonly KvEventSubscriberOptions Options = new() { FirstReconnectWait = TimeSpan.FromMilliseconds(10), LongestReconnectWait = TimeSpan.FromMilliseconds(20) };

    private readonly FakePeer _peer = new();
    private readonly FakePeer _replay = new();
    private readonly LockedSink _sink = new();
    private readonly ListLogger _logger = new();
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task Run_GapInTheLiveSequence_IsReplayedAndLogged()
    {
        var (subscriber, running) = Start(withReplay: true);
        await AcceptAsync(_peer, "PUB");
        Assert.Equal("0000000000000000", await AcceptReplayAsync());
        await _peer.SendAsync([.. Live(0), .. Live(3)]);
        await _replay.SendAsync([.. Answer(0), .. End()]);

        // The gap before batch 3 leads to another replay, from the last batch applied.
        Assert.Equal("0000000000000000", await AcceptReplayAsync());
        await _replay.SendAsync([.. Answer(0), .. Answer(1), .. Answer(2), .. Answer(3), .. End()]);
        await _peer.SendAsync(Live(4));
        await UntilAsync(subscriber, () => _sink.Count == 5);

        Assert.Equal(["0", "1", "2", "3", "4"], _sink.Hashes);
        var status = subscriber.Status;
        Assert.Equal((KvKnowledge.Exact, true, 5UL), (status.Knowledge, status.IsComplete, status.NextSequence));
        Assert.Contains(_logger.Lines, l => l.StartsWith($"Information KV events of 127.0.0.1:{_peer.Port}: History -> Degraded (connected)", StringComparison.Ordinal));
        Assert.Contains(_logger.Lines, l => l.EndsWith("Degraded -> Exact (replayed)", StringComparison.Ordinal));
        await StopAsync(running);
    }

    [Fact]
    public async Task Run_ReplayAnswersWithoutDelimiterAndEndsWithAnEmptyPayload_IsUnderstood()
    {
        var (subscriber, running) = Start(withReplay: true);
        await AcceptAsync(_peer, "PUB");
        await AcceptReplayAsync();
        await _replay.SendAsync([.. Message(Sequence(0), Batch(0)), .. Message(Sequence(1), [])]);
        await UntilAsync(subscriber, () => subscriber.Status.Knowledge == KvKnowledge.Exact);

        Assert.Equal(["0"], _sink.Hashes);
        await StopAsync(running);
    }

    [Fact]
    public async Task Run_MalformedMessagesAndUndecodableBatches_AreCountedAndResetOnlyForTheLatter()
    {
        var (subscriber, running) = Start(withReplay: false);
        await AcceptAsync(_peer, "PUB");
        await _peer.SendAsync([.. Live(0), .. Message([], Sequence(1)), .. Message([], [1, 2, 3], Batch(1)), .. Message([], Sequence(1), [0xC1]), .. Live(2)]);
        await UntilAsync(subscriber, () => subscriber.Status.NextSequence == 3);

        Assert.Equal(["0", "reset Undecodable", "2"], _sink.Hashes);
        var status = subscriber.Status;
        Assert.Equal((2L, 1L, KvKnowledge.Exact, false), (status.Counters.MalformedMessages, status.Counters.UndecodableBatches, status.Knowledge, status.IsComplete));
        Assert.Contains(_logger.Lines, l => l.Contains("batch 1 cannot be read: NotABatch at byte 0", StringComparison.Ordinal));
        await StopAsync(running);
    }

    [Fact]
    public async Task Run_ConnectionBreaks_ConnectsAgain()
    {
        var (subscriber, running) = Start(withReplay: false);
        await AcceptAsync(_peer, "PUB");
        await _peer.SendAsync(Live(0));
        await UntilAsync(subscriber, () => _sink.Count == 1);
        _peer.Hang();
        await AcceptAsync(_peer, "PUB");
        await _peer.SendAsync(Live(1));
        await UntilAsync(subscriber, () => _sink.Count == 3);

        Assert.Equal(["0", "reset Reconnected", "1"], _sink.Hashes);
        Assert.Equal(2, subscriber.Status.Counters.Connections);
        await StopAsync(running);
    }

    [Fact]
    public async Task Run_PeerIsNoPublisher_KeepsTryingAndSaysWhy()
    {
        var (subscriber, running) = Start(withReplay: false);
        await AcceptAsync(_peer, "ROUTER");
        await AcceptAsync(_peer, "PUB");
        await _peer.SendAsync(Live(0));
        await UntilAsync(subscriber, () => _sink.Count == 1);

        Assert.Contains(_logger.Lines, l => l.StartsWith("Debug", StringComparison.Ordinal) && l.EndsWith("SocketTypeMismatch the peer is ROUTER", StringComparison.Ordinal));
        await StopAsync(running);
    }

    [Fact]
    public async Task Run_SinkThrows_EndsWithItsException()
    {
        _sink.Throws = true;
        var (_, running) = Start(withReplay: true);
        await AcceptAsync(_peer, "PUB");
        await AcceptReplayAsync();
        await _replay.SendAsync(Answer(0));

        await Assert.ThrowsAsync<InvalidOperationException>(() => running.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Run_CancelledAtAnyTime_Returns()
    {
        var (_, running) = Start(withReplay: true);
        await _stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Run_Twice_Throws()
    {
        var (subscriber, running) = Start(withReplay: false);

        await Assert.ThrowsAsync<InvalidOperationException>(() => subscriber.RunAsync(default));
        await StopAsync(running);
    }

    [Fact]
    public void New_OptionsOutOfRange_Throws()
    {
        KvEventSubscriber Make(KvEventSource source, KvEventSubscriberOptions options) => new(source, _sink, options, TimeProvider.System, 1, NullLogger.Instance);
        var source = new KvEventSource("a", 5557);

        Assert.Throws<ArgumentOutOfRangeException>(() => Make(source, Options with { ForgetAfter = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(source, Options with { MaxHeldBatches = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(source, Options with { MaxMessageBytes = 10 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(source with { Port = 0 }, Options));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(source with { ReplayPort = 65536 }, Options));
        Assert.Throws<ArgumentException>(() => Make(source with { Host = "" }, Options));
    }

    public void Dispose()
    {
        _peer.Dispose();
        _replay.Dispose();
        _stop.Dispose();
    }

    private static byte[] Sequence(ulong sequence)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, sequence);
        return bytes;
    }

    private static byte[] Batch(ulong sequence) =>
        Pack.Of(new object?[] { (double)sequence, new object?[] { new object?[] { "BlockRemoved", new object?[] { sequence } } } });

    private static byte[] Live(ulong sequence) => Message([], Sequence(sequence), Batch(sequence));

    private static byte[] Answer(ulong sequence) => Message([], Sequence(sequence), Batch(sequence));

    private static byte[] End() => Message([], Sequence(ulong.MaxValue), []);

    private static async Task AcceptAsync(FakePeer peer, string socketType)
    {
        await peer.AcceptAsync();
        await peer.SendAsync([.. Greeting(), .. Ready(socketType)]);
    }

    private static Task UntilAsync(KvEventSubscriber subscriber, Func<bool> condition) => Poll.UntilAsync(condition, () => subscriber.Status.ToString());

    // Takes the next replay connection and answers the sequence asked for, in hex.
    private async Task<string> AcceptReplayAsync()
    {
        await AcceptAsync(_replay, "ROUTER");
        var request = await _replay.ReceiveAsync(64 + 30 + 12);
        Assert.Equal("01000008", request.Substring((64 + 30) * 2, 8));
        return request[^16..];
    }

    private (KvEventSubscriber Subscriber, Task Running) Start(bool withReplay)
    {
        var subscriber = new KvEventSubscriber(new KvEventSource("127.0.0.1", _peer.Port, withReplay ? _replay.Port : null), _sink, Options, TimeProvider.System, 1, _logger);
        return (subscriber, subscriber.RunAsync(_stop.Token));
    }

    private async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private sealed class LockedSink : IKvEventSink
    {
        private readonly List<string> _hashes = [];

        public bool Throws { get; set; }

        public int Count
        {
            get
            {
                lock (_hashes) return _hashes.Count;
            }
        }

        public string[] Hashes
        {
            get
            {
                lock (_hashes) return [.. _hashes];
            }
        }

        public void OnBlockStored(in KvBlockStored stored) => Add("stored");

        public void OnBlockRemoved(in KvBlockRemoved removed) => Add(removed.BlockHashes[0].ToString());

        public void OnAllCleared() => Add("cleared");

        public void OnReset(KvResetReason reason) => Add("reset " + reason);

        private void Add(string line)
        {
            if (Throws) throw new InvalidOperationException("the sink is broken");
            lock (_hashes) _hashes.Add(line);
        }
    }

    private sealed class ListLogger : ILogger
    {
        private readonly List<string> _lines = [];

        public string[] Lines
        {
            get
            {
                lock (_lines) return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines) _lines.Add($"{logLevel} {formatter(state, exception)}");
        }
    }
}
