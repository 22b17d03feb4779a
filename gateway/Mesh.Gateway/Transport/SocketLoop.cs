using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Mesh.Gateway.Transport;

/// <summary>
/// A thread that learns of what happens on its sockets and carries it on itself. Edge-triggered: a socket is told once of new bytes, so that nothing has to be asked that
/// finds nothing. Nothing that it calls may block. Loops live as long as the process.
/// </summary>
internal sealed unsafe class SocketLoop
{
    private const int MaxEvents = 256;
    private const int MaxLoops = 16;

    private static readonly Lazy<SocketLoop[]> Loops = new(CreateAll);
    [ThreadStatic]
    private static SocketLoop? _current;

    private static int _next;

    private readonly Lock _gate = new();
    private readonly Stack<int> _free = [];
    private readonly int _epoll;
    private Entry[] _entries = new Entry[256];
    private int _used;

    private SocketLoop(int number)
    {
        _epoll = Libc.CreateEpoll();
        if (_epoll < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        new Thread(Run, maxStackSize: 1024 * 1024) { IsBackground = true, Name = $"Mesh sockets {number}" }.UnsafeStart();
    }

    /// <summary>The loop whose thread this is; null elsewhere.</summary>
    public static SocketLoop? Current => _current;

    /// <summary>The loop whose turn it is.</summary>
    public static SocketLoop Next()
    {
        var all = Loops.Value;
        return all[(uint)Interlocked.Increment(ref _next) % (uint)all.Length];
    }

    /// <summary>Tells a handler of what happens on a socket from now on; what has happened already is told at once.</summary>
    /// <returns>What <see cref="Remove"/> takes.</returns>
    /// <exception cref="Win32Exception">The system has no room for it.</exception>
    public long Add(SafeHandle socket, ISocketEvents handler)
    {
        long key;
        lock (_gate)
        {
            if (!_free.TryPop(out var slot)) slot = _used++;
            if (slot == _entries.Length)
            {
                var larger = new Entry[_entries.Length * 2];
                _entries.CopyTo(larger, 0);
                Volatile.Write(ref _entries, larger);
            }

            ref var entry = ref _entries[slot];
            entry.Generation++;
            Volatile.Write(ref entry.Handler, handler);
            key = ((long)entry.Generation << 32) | (uint)slot;
        }

        Span<byte> epollEvent = stackalloc byte[Libc.EventBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(epollEvent, Libc.In | Libc.Out | Libc.ReadHangUp | Libc.EdgeTriggered);
        BinaryPrimitives.WriteInt64LittleEndian(epollEvent[Libc.DataOffset..], key);
        int result;
        fixed (byte* first = epollEvent) result = Libc.epoll_ctl(_epoll, Libc.Add, socket, first);
        if (result == 0) return key;
        var error = Marshal.GetLastPInvokeError();
        Remove(key);
        throw new Win32Exception(error);
    }

    /// <summary>The socket is about to be closed, with which the system forgets it; an event that is under way may still be told. Once for each socket.</summary>
    public void Remove(long key)
    {
        lock (_gate)
        {
            var slot = (int)(key & uint.MaxValue);
            _entries[slot].Handler = null;
            _free.Push(slot);
        }
    }

    private static SocketLoop[] CreateAll()
    {
        var all = new SocketLoop[Math.Clamp(Environment.ProcessorCount, 1, MaxLoops)];
        for (var i = 0; i < all.Length; i++) all[i] = new SocketLoop(i);
        return all;
    }

    private void Run()
    {
        _current = this;
        var events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * Libc.EventBytes));
        while (true)
        {
            var count = Libc.epoll_wait(_epoll, events, MaxEvents, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted) throw new Win32Exception(Marshal.GetLastPInvokeError());
            for (var i = 0; i < count; i++)
            {
                var epollEvent = new ReadOnlySpan<byte>(events + (i * Libc.EventBytes), Libc.EventBytes);
                var key = BinaryPrimitives.ReadInt64LittleEndian(epollEvent[Libc.DataOffset..]);
                Find(key)?.OnEvents(BinaryPrimitives.ReadUInt32LittleEndian(epollEvent));
            }
        }
    }

    private ISocketEvents? Find(long key)
    {
        var entries = Volatile.Read(ref _entries);
        ref var entry = ref entries[(int)(key & uint.MaxValue)];
        var handler = Volatile.Read(ref entry.Handler);
        // An event of a socket that was closed while it stood in line is not the next one's.
        return entry.Generation == (int)(key >> 32) ? handler : null;
    }

    private struct Entry
    {
        public ISocketEvents? Handler;
        public int Generation;
    }
}

/// <summary>Learns of what happens on a socket, on the thread of its loop. Never throws.</summary>
internal interface ISocketEvents
{
    /// <param name="events">Bits of <see cref="Libc"/>; sometimes more than there is.</param>
    void OnEvents(uint events);
}
