using Mesh.Core.Randomness;
using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Tests.KvEvents.MessagePack;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

/// <summary>
/// Random lives of a publisher: batches lost on the way, connections cut, replays with holes or broken off, restarts with a new history.
/// Whenever the storm ends, the sink must hold an unbroken run of the present publisher's batches that ends with its latest.
/// </summary>
public class IntakePropertyTests(ITestOutputHelper output)
{
    private const ulong FirstSeed = 20260514;
    private const int Runs = 400;
    private const int Steps = 400;

    [Fact]
    public void AnyStorm_EndsWithThePublishersBatchesOnceAndInOrder()
    {
        long applied = 0, resets = 0;
        for (var run = 0; run < Runs; run++)
        {
            var seed = FirstSeed + (ulong)run;
            var world = new World(seed);
            for (var step = 0; step < Steps; step++) world.Step();
            world.Calm();
            if (world.Fault is { } fault) Assert.Fail($"seed {seed}: {fault}");
            applied += world.Intake.Status.Counters.Batches;
            resets += world.Intake.Status.Counters.Resets;
        }

        output.WriteLine($"seeds from {FirstSeed}: {applied} batches applied, {resets} resets");
        Assert.True(applied > Runs * 50 && resets > Runs);
    }

    [Fact]
    public void OnlyLossAndCuts_NothingIsEverForgotten()
    {
        for (var run = 0; run < Runs; run++)
        {
            var seed = FirstSeed + 1_000_000 + (ulong)run;
            var world = new World(seed, benign: true);
            for (var step = 0; step < Steps; step++) world.Step();
            world.Calm();
            var status = world.Intake.Status;
            if (world.Fault is { } fault) Assert.Fail($"seed {seed}: {fault}");
            if (status.Counters.Resets > 0 || !status.IsComplete || status.Counters.Batches != (long)status.NextSequence) Assert.Fail($"seed {seed}: {status}");
        }
    }

    private sealed class World
    {
        private readonly Xoshiro256 _random;
        private readonly ManualTimeProvider _clock = new();
        private readonly RunSink _sink = new();
        private readonly List<(ulong Sequence, byte[] Payload)> _memory = [];
        private readonly Queue<(ulong Sequence, byte[] Payload)> _wire = new();
        private readonly int _memoryBatches;
        private readonly bool _benign;
        private int _generation;
        private ulong _next;
        private bool _connected;
        private List<(ulong Sequence, byte[] Payload)>? _replay;

        public World(ulong seed, bool benign = false)
        {
            _random = new Xoshiro256(seed);
            _benign = benign;
            _memoryBatches = benign ? int.MaxValue : 5 + _random.NextInt32(60);
            var options = new KvEventSubscriberOptions { MaxHeldBatches = 1 + _random.NextInt32(40) };
            Intake = new KvEventIntake(new KvEventSource("a", 1, 2), _sink, options, _clock, NullLogger.Instance);
        }

        public KvEventIntake Intake { get; }

        public string? Fault { get; private set; }

        public void Step()
        {
            switch (_random.NextInt32(40))
            {
                case < 14: Publish(lost: _random.NextInt32(12) == 0); break;
                case < 24: DeliverLive(); break;
                case < 26 when !_connected: Connect(); break;
                case 26: Cut(); break;
                case 27 when !_benign && _random.NextInt32(3) == 0: Restart(); break;
                case 28: _clock.Advance(TimeSpan.FromSeconds(_random.NextInt32(12))); break;
                case 29 when !_benign && !_connected: Intake.AbandonIfDisconnected("test"); break;
                case < 33: BeginReplay(); break;
                default: DeliverReplay(lossy: !_benign); break;
            }
        }

        // No more harm: everything is delivered, and one check at the end finds what was lost last.
        public void Calm()
        {
            if (!_connected) Connect();
            for (var round = 0; round < 200; round++)
            {
                while (_wire.Count > 0) DeliverLive();
                _clock.Advance(TimeSpan.FromSeconds(10));
                BeginReplay();
                while (_replay is not null) DeliverReplay(lossy: false);
            }
            // Two quiet batches: where the replay has been given up, the next live batch is what brings it back.
            for (var i = 0; i < 2; i++)
            {
                Publish(lost: false);
                while (_wire.Count > 0) DeliverLive();
                while (Intake.ReplayWanted) BeginReplay();
                while (_replay is not null) DeliverReplay(lossy: false);
            }

            var status = Intake.Status;
            var expected = Enumerable.Range(0, _sink.Hashes.Count).Select(i => Hash(_next - (ulong)_sink.Hashes.Count + (ulong)i)).ToList();
            if (status.Knowledge != KvKnowledge.Exact) Fault = "not exact: " + status;
            else if (_sink.Hashes.Count == 0 || !_sink.Hashes.SequenceEqual(expected))
                Fault = $"generation {_generation} next {_next}, but the sink has {string.Join(' ', _sink.Hashes.TakeLast(80).Select(h => $"{h >> 32}/{(uint)h}"))}";
            else if (status.IsComplete != (_sink.Hashes.Count == (int)_next)) Fault = $"complete is {status.IsComplete} with {_sink.Hashes.Count} of {_next}";
        }

        private ulong Hash(ulong sequence) => ((ulong)_generation << 32) | sequence;

        private void Publish(bool lost)
        {
            var payload = Pack.Of(new object?[] { _generation + 0.5, new object?[] { new object?[] { "BlockRemoved", new object?[] { Hash(_next) } } } });
            _memory.Add((_next, payload));
            if (_memory.Count > _memoryBatches) _memory.RemoveAt(0);
            if (_connected && !lost) _wire.Enqueue((_next, payload));
            _next++;
        }

        private void DeliverLive()
        {
            for (var count = 1 + _random.NextInt32(4); count > 0 && _wire.TryDequeue(out var batch); count--)
            {
                using (Intake.EnterLive()) Intake.TakeLive(batch.Sequence, batch.Payload);
            }
        }

        private void Connect()
        {
            _connected = true;
            Intake.Connected();
        }

        private void Cut()
        {
            if (!_connected) return;
            // What was on the way may still arrive before the end of the connection is seen, or not.
            while (_random.NextInt32(2) == 0 && _wire.Count > 0) DeliverLive();
            _wire.Clear();
            _connected = false;
            Intake.Disconnected("test");
        }

        private void Restart()
        {
            Cut();
            if (_replay is not null)
            {
                _replay = null;
                Intake.FailReplay("test");
            }
            _generation++;
            _next = 0;
            _memory.Clear();
            // It may be far ahead before anybody connects again.
            for (var count = _random.NextInt32(100); count > 0; count--) Publish(lost: true);
        }

        private void BeginReplay()
        {
            if (_replay is null && Intake.TryBeginReplay(out var from)) _replay = [.. _memory.Where(b => b.Sequence >= from)];
        }

        private void DeliverReplay(bool lossy)
        {
            if (_replay is null) return;
            if (lossy && _random.NextInt32(12) == 0)
            {
                _replay = null;
                Intake.FailReplay("test");
                return;
            }
            for (var count = 1 + _random.NextInt32(8); count > 0; count--)
            {
                if (_replay.Count == 0)
                {
                    _replay = null;
                    Intake.EndReplay();
                    return;
                }
                var (sequence, payload) = _replay[0];
                _replay.RemoveAt(0);
                // A ROUTER whose queue is full drops, but never the first answer.
                if (lossy && _replay.Count > 0 && _random.NextInt32(30) == 0) _replay.RemoveAt(0);
                if (Intake.TakeReplayed(sequence, payload)) continue;
                _replay = null;
                return;
            }
        }
    }

    private sealed class RunSink : IKvEventSink
    {
        public List<ulong> Hashes { get; } = [];

        public void OnBlockStored(in KvBlockStored stored) => throw new InvalidOperationException("none was published");

        public void OnBlockRemoved(in KvBlockRemoved removed) => Hashes.Add(removed.BlockHashes[0]);

        public void OnAllCleared() => throw new InvalidOperationException("none was published");

        public void OnReset(KvResetReason reason) => Hashes.Clear();
    }
}
