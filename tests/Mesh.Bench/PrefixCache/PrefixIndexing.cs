using BenchmarkDotNet.Attributes;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;

namespace Mesh.Bench.PrefixCache;

/// <summary>
/// Sessions of 128 blocks that share a system prompt of 8 with all others and a document of 24 with a hundred; each turn of a session
/// adds 4 blocks of its own. Endpoints hold sessions evenly, so the index is full of what routing would put there.
/// </summary>
public class PrefixIndexing
{
    private const int ChainBlocks = 128;
    private readonly ulong[] _chain = new ulong[ChainBlocks];
    private PrefixIndex _index = null!;
    private int[] _held = [];
    private Xoshiro256 _random = null!;
    private int _sessions;

    [Params(100, 1000, 10_000)]
    public int Endpoints { get; set; }

    [Params(100_000, 10_000_000)]
    public int IndexBlocks { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _random = new Xoshiro256(1);
        _index = new PrefixIndex(PrefixLayout.Uniform(64, ChainBlocks), Endpoints, (int)(IndexBlocks * 1.4));
        _held = new int[Endpoints];
        for (_sessions = 0; _index.Blocks < IndexBlocks && _sessions < IndexBlocks; _sessions++)
        {
            Fill(_sessions);
            _index.Store(_sessions % Endpoints, _chain);
        }
        Console.WriteLine($"// {_index.Blocks} blocks, {_index.Bytes / (double)_index.Blocks:f1} bytes each");
    }

    [Benchmark]
    public int Match()
    {
        Fill(_random.NextInt32(_sessions));
        return _index.Match(_chain, _held);
    }

    [Benchmark]
    public void StoreAgain()
    {
        var session = _random.NextInt32(_sessions);
        Fill(session);
        _index.Store(session % Endpoints, _chain);
    }

    [Benchmark(Baseline = true)]
    public void FillOnly() => Fill(_random.NextInt32(_sessions));

    private void Fill(int session)
    {
        var hash = 1UL;
        for (var i = 0; i < ChainBlocks; i++)
        {
            var content = i < 8 ? 0UL : i < 32 ? (ulong)(session / 100) + 1 : ((ulong)session << 8) + 0x1_0000_0000;
            hash = (hash ^ content) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
            _chain[i] = hash;
        }
    }
}
