using System.Buffers;

namespace Mesh.Engine.KvEvents.Events;

/// <summary>
/// Room for the hashes and tokens of one event, used again for the next. It grows to what an event needs, within bounds, and is given
/// back when a batch was unusually large. Not thread-safe.
/// </summary>
internal sealed class KvScratch
{
    /// <summary>Most blocks of one event: a prompt of four million tokens in blocks of 16.</summary>
    public const int MaxBlocks = 1 << 18;

    /// <summary>Most tokens of one event.</summary>
    public const int MaxTokens = 1 << 22;

    private const int KeptElements = 1 << 14;

    private ulong[] _hashes = [];
    private int[] _tokens = [];

    /// <summary>Bytes of memory held.</summary>
    public long Bytes => ((long)_hashes.Length * sizeof(ulong)) + ((long)_tokens.Length * sizeof(int));

    public Span<ulong> Hashes(int count) => Room(ref _hashes, count);

    public Span<int> Tokens(int count) => Room(ref _tokens, count);

    /// <summary>Gives back what only an unusual batch needed.</summary>
    public void Trim()
    {
        if (_hashes.Length > KeptElements) Release(ref _hashes);
        if (_tokens.Length > KeptElements) Release(ref _tokens);
    }

    private static Span<T> Room<T>(ref T[] array, int count)
    {
        if (array.Length < count)
        {
            Release(ref array);
            array = ArrayPool<T>.Shared.Rent(count);
        }
        return array.AsSpan(0, count);
    }

    private static void Release<T>(ref T[] array)
    {
        if (array.Length > 0) ArrayPool<T>.Shared.Return(array);
        array = [];
    }
}
