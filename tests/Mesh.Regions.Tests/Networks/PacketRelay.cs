using System.Buffers.Binary;
using System.Net;
using Mesh.Core.Randomness;

namespace Mesh.Regions.Tests.Networks;

/// <summary>
/// The network between regions: takes packets off one interface and puts them on that of their destination, later, or not at all. What is
/// lost and how late is decided for each direction by itself. Thread-safe; bounded: a queue that is full loses what comes.
/// </summary>
internal sealed class PacketRelay : IDisposable
{
    private const int MaxQueued = 20_000;
    private const int DestinationAt = 16;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Xoshiro256 _random = new(7);
    private readonly PriorityQueue<(TunDevice To, byte[] Packet), (long Due, long Number)> _queue = new();
    private readonly Dictionary<uint, (string Name, TunDevice Device)> _byAddress = [];
    private readonly Dictionary<(string From, string To), TimeSpan> _usual = [];
    private readonly Dictionary<(string From, string To), double> _losses = [];
    private readonly SemaphoreSlim _added = new(0);
    private readonly List<Thread> _threads = [];
    private long _number;
    private volatile bool _stopped;

    public PacketRelay() => Run("sender", Send);

    /// <summary>Joins an interface to the network.</summary>
    public void Join(string name, IPAddress address, TunDevice device)
    {
        lock (_gate) _byAddress[BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes())] = (name, device);
        Run(name, () => Receive(name, device));
    }

    /// <summary>Sets how far two are from each other, one way; none by default.</summary>
    public void Place(string a, string b, TimeSpan oneWay)
    {
        lock (_gate) _usual[(a, b)] = _usual[(b, a)] = oneWay;
    }

    /// <summary>Sets the share of packets that is lost in one direction, 0–1.</summary>
    public void Lose(string from, string to, double loss)
    {
        lock (_gate) _losses[(from, to)] = loss;
    }

    /// <summary>Cuts one direction.</summary>
    public void Cut(string from, string to) => Lose(from, to, 1);

    /// <summary>Cuts both directions.</summary>
    public void Part(string a, string b)
    {
        Cut(a, b);
        Cut(b, a);
    }

    /// <summary>Both directions as they were at first.</summary>
    public void Heal(string a, string b)
    {
        Lose(a, b, 0);
        Lose(b, a, 0);
    }

    public void Dispose()
    {
        _stopped = true;
        _added.Release();
    }

    private void Run(string name, Action body)
    {
        var thread = new Thread(() => body()) { IsBackground = true, Name = $"relay {name}" };
        _threads.Add(thread);
        thread.Start();
    }

    private void Receive(string from, TunDevice device)
    {
        var packet = new byte[TunDevice.MaxBytes];
        while (!_stopped)
        {
            var length = device.Read(packet);
            if (length <= 0) return;
            // Version 4 alone; what else the kernel says by itself is of no interest.
            if (length < DestinationAt + 4 || packet[0] >> 4 != 4) continue;
            lock (_gate)
            {
                if (!_byAddress.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(DestinationAt)), out var to) || _queue.Count >= MaxQueued) continue;
                if (_losses.GetValueOrDefault((from, to.Name)) is > 0 and var loss && _random.NextDouble() < loss) continue;
                var due = _time.GetTimestamp() + (long)(_usual.GetValueOrDefault((from, to.Name)).TotalSeconds * _time.TimestampFrequency);
                _queue.Enqueue((to.Device, packet.AsSpan(0, length).ToArray()), (due, ++_number));
            }

            _added.Release();
        }
    }

    private void Send()
    {
        while (!_stopped)
        {
            TimeSpan wait;
            (TunDevice To, byte[] Packet) next = default;
            lock (_gate)
            {
                if (!_queue.TryPeek(out _, out var at)) wait = Timeout.InfiniteTimeSpan;
                else wait = _time.GetElapsedTime(_time.GetTimestamp(), at.Due);
                if (wait <= TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan) next = _queue.Dequeue();
            }

            if (next.To is null) _added.Wait(wait);
            else next.To.Write(next.Packet);
        }
    }
}
