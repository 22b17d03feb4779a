using Mesh.Core.Randomness;

namespace Mesh.Engine.Tests.KvEvents;

/// <summary>Makes inputs for fuzzing: random bytes, or a sample with a few mutations, in a buffer of its own that is used again.</summary>
internal sealed class ByteMutator(ulong seed, byte[][] samples, int maxBytes)
{
    private static readonly byte[] Interesting = [0x00, 0x01, 0x02, 0x04, 0x06, 0x7F, 0x80, 0x90, 0xC1, 0xC6, 0xC9, 0xCF, 0xD9, 0xDD, 0xDF, 0xFF];

    private readonly Xoshiro256 _random = new(seed);
    private readonly byte[] _buffer = new byte[maxBytes];

    public Xoshiro256 Random => _random;

    public ReadOnlySpan<byte> Next()
    {
        if (_random.NextInt32(8) == 0)
        {
            var noise = _buffer.AsSpan(0, _random.NextInt32(64));
            foreach (ref var b in noise) b = (byte)_random.NextUInt64();
            return noise;
        }
        var sample = samples[_random.NextInt32(samples.Length)];
        var length = Math.Min(sample.Length, maxBytes);
        sample.AsSpan(0, length).CopyTo(_buffer);
        for (var left = _random.NextInt32(6); left > 0 && length > 0; left--) length = Mutate(length);
        return _buffer.AsSpan(0, length);
    }

    private int Mutate(int length)
    {
        var at = _random.NextInt32(length);
        switch (_random.NextInt32(6))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << _random.NextInt32(8));
                return length;
            case 1:
                _buffer[at] = Interesting[_random.NextInt32(Interesting.Length)];
                return length;
            case 2:
                _buffer[at] = (byte)_random.NextUInt64();
                return length;
            case 3:
                return at;
            case 4 when length < maxBytes:
                _buffer.AsSpan(at, length - at).CopyTo(_buffer.AsSpan(at + 1));
                return length + 1;
            default:
                _buffer.AsSpan(at + 1, length - at - 1).CopyTo(_buffer.AsSpan(at));
                return length - 1;
        }
    }
}
