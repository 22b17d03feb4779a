using Mesh.Engine.KvEvents.Events;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>Checks the events of <c>publisher.py</c> one by one: each must be the one after the last. May be read from any thread.</summary>
internal sealed class CountingSink : IKvEventSink
{
    private readonly List<KvResetReason> _resets = [];
    private long _events;
    private long _expected = -1;
    private volatile string? _fault;

    /// <summary>Events since the last reset.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>Index of the event expected next, or −1 before the first.</summary>
    public long Expected => Interlocked.Read(ref _expected);

    public int Generation { get; private set; }

    /// <summary>The first event that was lost or came twice, or null.</summary>
    public string? Fault => _fault;

    public KvResetReason[] Resets
    {
        get
        {
            lock (_resets) return [.. _resets];
        }
    }

    public void OnBlockStored(in KvBlockStored stored)
    {
        if (stored.TokenIds.Length != 16 || stored.TokenIds[0] != 1000 || stored.TokenIds[15] != 1015 || stored.BlockSizeTokens != 16 || !stored.Medium.SequenceEqual("GPU"u8))
            _fault ??= "a stored event with wrong fields";
        Take(stored.BlockHashes, remainder: -1);
    }

    public void OnBlockRemoved(in KvBlockRemoved removed) => Take(removed.BlockHashes, remainder: 2);

    public void OnAllCleared()
    {
        if (Expected >= 0 && Expected % 1000 != 999) _fault ??= $"cleared at {Expected}";
        if (Expected >= 0) Interlocked.Increment(ref _expected);
        Interlocked.Increment(ref _events);
    }

    public void OnReset(KvResetReason reason)
    {
        lock (_resets) _resets.Add(reason);
        Interlocked.Exchange(ref _expected, -1);
        Interlocked.Exchange(ref _events, 0);
    }

    private void Take(ReadOnlySpan<ulong> hashes, int remainder)
    {
        var index = (long)(hashes[0] & ((1UL << 40) - 1));
        var generation = (int)(hashes[0] >> 40);
        if (hashes.Length != 1 || (remainder == 2) != (index % 3 == 2)) _fault ??= $"event {index} is not what was published";
        if (Expected >= 0 && (index != Expected || generation != Generation)) _fault ??= $"event {generation}/{index} came when {Generation}/{Expected} was next";
        Generation = generation;
        Interlocked.Exchange(ref _expected, index + 1);
        Interlocked.Increment(ref _events);
    }
}
