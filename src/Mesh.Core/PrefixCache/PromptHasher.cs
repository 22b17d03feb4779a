using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mesh.Core.PrefixCache;

/// <summary>
/// Turns a prompt's bytes into its chain of block hashes, piece by piece, without copying it: equal prefixes give equal blocks, whatever
/// pieces they came in. A token counts as <see cref="BytesPerToken"/> bytes. The hash folds 64-bit products over four lanes; it is
/// stable over machines and versions, and no defence against an adversary who crafts collisions: those cost locality, never correctness.
/// </summary>
public ref struct PromptHasher
{
    /// <summary>Average bytes of a token of English text.</summary>
    public const int BytesPerToken = 4;

    private const int StripeBytes = 64;
    private const ulong K0 = 0x2D358DCCAA6C78A5, K1 = 0x8BB84B93962EACC9, K2 = 0x4B33A62ED433D4A3, K3 = 0x4D5A2DA51DE1AA47;
    private readonly PrefixLayout _layout;
    private readonly Span<ulong> _chain;
    private ulong _a, _b, _c, _d;
    private Stripe _carry;
    private int _carried;
    private int _leftInBlock;

    /// <summary>Starts a chain.</summary>
    /// <param name="layout">Lengths of the blocks.</param>
    /// <param name="chain">Takes the hashes; blocks beyond its length are not hashed.</param>
    /// <param name="seed">Differs where equal prompts share no cache: see <see cref="SeedOf"/>.</param>
    public PromptHasher(PrefixLayout layout, Span<ulong> chain, ulong seed)
    {
        _layout = layout;
        _chain = chain.Length > layout.MaxBlocks ? chain[..layout.MaxBlocks] : chain;
        Begin(seed);
        _leftInBlock = _chain.Length > 0 ? BlockBytes(0) : 0;
    }

    /// <summary>Whole blocks hashed so far.</summary>
    public int Blocks { get; private set; }

    /// <summary>True once no further block can be hashed: the rest of the prompt need not be appended.</summary>
    public readonly bool IsFull => Blocks == _chain.Length;

    /// <summary>A seed for a model or adapter name, or a cache salt, on top of another seed.</summary>
    public static ulong SeedOf(ReadOnlySpan<byte> name, ulong seed = 0)
    {
        var hash = Fold(seed ^ K0, (ulong)name.Length ^ K1);
        foreach (var b in name) hash = Fold(hash ^ b ^ K2, K3);
        return hash;
    }

    /// <summary>Appends bytes of the prompt.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !IsFull)
        {
            var take = Math.Min(bytes.Length, _leftInBlock);
            Absorb(bytes[..take]);
            bytes = bytes[take..];
            _leftInBlock -= take;
            if (_leftInBlock == 0) EndBlock();
        }
    }

    private void EndBlock()
    {
        // Blocks are whole stripes, so nothing is carried here.
        var hash = Fold(Fold(_a ^ K0, _b ^ K1) ^ K2, Fold(_c ^ K2, _d ^ K3) ^ K1);
        _chain[Blocks++] = hash;
        Begin(hash);
        if (!IsFull) _leftInBlock = BlockBytes(Blocks);
    }

    private void Begin(ulong seed)
    {
        _a = seed ^ K0;
        _b = seed + K1;
        _c = seed ^ K2;
        _d = seed + K3;
    }

    private readonly int BlockBytes(int block) => (_layout.TokensIn(block + 1) - _layout.TokensIn(block)) * BytesPerToken;

    private void Absorb(scoped ReadOnlySpan<byte> bytes)
    {
        if (_carried > 0)
        {
            Span<byte> carry = _carry;
            var fill = Math.Min(StripeBytes - _carried, bytes.Length);
            bytes[..fill].CopyTo(carry[_carried..]);
            _carried += fill;
            bytes = bytes[fill..];
            if (_carried < StripeBytes) return;
            Stripes(carry);
            _carried = 0;
        }
        var whole = bytes.Length & ~(StripeBytes - 1);
        if (whole > 0) Stripes(bytes[..whole]);
        bytes = bytes[whole..];
        bytes.CopyTo(_carry);
        _carried = bytes.Length;
    }

    private void Stripes(scoped ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        var (a, b, c, d) = (_a, _b, _c, _d);
        for (var i = 0; i + 8 <= words.Length; i += 8)
        {
            a = Fold(words[i] ^ K0, words[i + 1] ^ a);
            b = Fold(words[i + 2] ^ K1, words[i + 3] ^ b);
            c = Fold(words[i + 4] ^ K2, words[i + 5] ^ c);
            d = Fold(words[i + 6] ^ K3, words[i + 7] ^ d);
        }
        (_a, _b, _c, _d) = (a, b, c, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong x, ulong y)
    {
        var high = Math.BigMul(x, y, out var low);
        return high ^ low;
    }

    [InlineArray(StripeBytes)]
    private struct Stripe
    {
        private byte _first;
    }
}
