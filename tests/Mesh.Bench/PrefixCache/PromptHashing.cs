using BenchmarkDotNet.Attributes;
using Mesh.Core.PrefixCache;

namespace Mesh.Bench.PrefixCache;

/// <summary>Bytes hashed per second: prompt bytes / mean time.</summary>
public class PromptHashing
{
    private readonly ulong[] _chain = new ulong[PrefixLayout.Growing.MaxBlocks];
    private byte[] _prompt = [];

    [Params(4 << 10, 512 << 10)]
    public int PromptBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _prompt = new byte[PromptBytes];
        for (var i = 0; i < _prompt.Length; i++) _prompt[i] = (byte)('a' + i * 7 % 26);
    }

    [Benchmark]
    public int Hash()
    {
        var hasher = new PromptHasher(PrefixLayout.Growing, _chain, 1);
        hasher.Append(_prompt);
        return hasher.Blocks;
    }
}
