namespace Mesh.Core.PrefixCache.Crowds;

/// <summary>
/// The endpoints that hold a popular run of blocks, as bits: whether one of a range does is known without a look at each of them. Not thread-safe.
/// </summary>
internal sealed class Crowd(int endpointCapacity)
{
    private readonly ulong[] _bits = new ulong[(endpointCapacity + 63) / 64];

    // One bit for each word of the above that is not 0.
    private readonly ulong[] _words = new ulong[(endpointCapacity + 4095) / 4096];

    /// <summary>The run's node.</summary>
    public int Node { get; private set; } = -1;

    /// <summary>Endpoints that hold the run or a part of it.</summary>
    public int Count { get; private set; }

    /// <summary>Those of them that hold a part only.</summary>
    public int Partial { get; set; }

    /// <summary>Begins anew, as the crowd of a node.</summary>
    public void Start(int node)
    {
        Node = node;
        Count = 0;
        Partial = 0;
        Array.Clear(_bits);
        Array.Clear(_words);
    }

    /// <summary>Adds an endpoint that is not in it.</summary>
    public void Add(int endpoint)
    {
        _bits[endpoint >> 6] |= 1UL << endpoint;
        _words[endpoint >> 12] |= 1UL << (endpoint >> 6);
        Count++;
    }

    /// <summary>Takes out an endpoint that is in it.</summary>
    public void Remove(int endpoint)
    {
        ref var word = ref _bits[endpoint >> 6];
        word &= ~(1UL << endpoint);
        if (word == 0) _words[endpoint >> 12] &= ~(1UL << (endpoint >> 6));
        Count--;
    }

    /// <summary>True for one of its endpoints.</summary>
    public bool Has(int endpoint) => (_bits[endpoint >> 6] >> endpoint & 1) != 0;

    /// <summary>False when none of these endpoints is in it.</summary>
    /// <param name="first">First of them, a multiple of their number.</param>
    /// <param name="count">How many, a power of two.</param>
    public bool HasAny(int first, int count)
    {
        if (count <= 64) return first >> 6 < _bits.Length && (_bits[first >> 6] >> first & Ones(count)) != 0;
        var words = count >> 6;
        if (words <= 64) return first >> 12 < _words.Length && (_words[first >> 12] >> (first >> 6) & Ones(words)) != 0;
        for (var word = first >> 12; word < Math.Min(_words.Length, (first + count) >> 12); word++)
        {
            if (_words[word] != 0) return true;
        }

        return false;
    }

    private static ulong Ones(int count) => ulong.MaxValue >> (64 - count);
}
