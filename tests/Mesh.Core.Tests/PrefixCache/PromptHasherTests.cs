using System.Text;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;

namespace Mesh.Core.Tests.PrefixCache;

public class PromptHasherTests
{
    [Fact]
    public void Growing_Prompt128kTokens_StaysUnder2KiB()
    {
        var layout = PrefixLayout.Growing;
        var blocks = 0;
        while (layout.TokensIn(blocks + 1) <= 128 * 1024) blocks++;

        Assert.InRange(blocks * sizeof(ulong), 1, 2048);
        Assert.True(layout.TokensIn(layout.MaxBlocks) >= 128 * 1024);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Append_AnyPieces_GivesTheSameChain(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var prompt = RandomBytes(random, 40_000);
        var whole = Hash(prompt, 7);
        Assert.Equal(75, whole.Length);

        var chain = new ulong[128];
        var hasher = new PromptHasher(PrefixLayout.Growing, chain, 7);
        for (var at = 0; at < prompt.Length;)
        {
            var length = Math.Min(prompt.Length - at, 1 + random.NextInt32(500));
            hasher.Append(prompt.AsSpan(at, length));
            at += length;
        }

        Assert.Equal(whole, chain[..hasher.Blocks]);
    }

    [Fact]
    public void Append_OneByteChanged_ChangesThatBlockAndAllAfter()
    {
        var prompt = RandomBytes(new Xoshiro256(3), 20_000);
        var before = Hash(prompt, 0);
        for (var at = 0; at < prompt.Length; at += 97)
        {
            prompt[at] ^= 1;
            var after = Hash(prompt, 0);
            prompt[at] ^= 1;

            var same = before.Zip(after).TakeWhile(p => p.First == p.Second).Count();
            Assert.True(before.Zip(after).Skip(same).All(p => p.First != p.Second));
            var start = PrefixLayout.Growing.TokensIn(same) * PromptHasher.BytesPerToken;
            Assert.True(same == before.Length || at >= start, $"byte {at} changed block {same}, which starts at {start}");
            Assert.True(same == before.Length || at < PrefixLayout.Growing.TokensIn(same + 1) * PromptHasher.BytesPerToken);
        }
    }

    [Fact]
    public void SeedOf_ModelAdapterSalt_SeparatesChains()
    {
        var prompt = Encoding.UTF8.GetBytes(new string('x', 5000));
        var model = PromptHasher.SeedOf("llama"u8);
        var adapter = PromptHasher.SeedOf("food-review-1"u8, model);

        var firsts = new[] { Hash(prompt, 0)[0], Hash(prompt, model)[0], Hash(prompt, adapter)[0] };

        Assert.Equal(3, firsts.Distinct().Count());
        Assert.NotEqual(PromptHasher.SeedOf("ab"u8, PromptHasher.SeedOf("c"u8)), PromptHasher.SeedOf("a"u8, PromptHasher.SeedOf("bc"u8)));
    }

    [Fact]
    public void Append_TenThousandPrompts_NoTwoChainsShareABlock()
    {
        var seen = new HashSet<ulong>();
        for (var i = 0; i < 10_000; i++)
        {
            foreach (var hash in Hash(Encoding.UTF8.GetBytes($"{i:d8}" + new string('y', 1000)), 0)) Assert.True(seen.Add(hash));
        }
    }

    private static ulong[] Hash(byte[] prompt, ulong seed)
    {
        var chain = new ulong[PrefixLayout.Growing.MaxBlocks];
        var hasher = new PromptHasher(PrefixLayout.Growing, chain, seed);
        hasher.Append(prompt);
        return chain[..hasher.Blocks];
    }

    private static byte[] RandomBytes(Xoshiro256 random, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = (byte)random.NextUInt64();
        return bytes;
    }
}
