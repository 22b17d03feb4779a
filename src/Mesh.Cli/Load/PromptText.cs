using Mesh.Core.Randomness;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Cli.Load;

/// <summary>
/// Prompts of so many words. Words are short and common, one token each in most vocabularies. Equal block ids give equal text, so prompts
/// that share their first blocks in a trace share them on the wire; what no id tells of is the request's own.
/// </summary>
internal static class PromptText
{
    private const int BitsPerWord = 6;

    private static readonly byte[][] Words = [.. (
        "the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not " +
        "what all were we when your can said there use an each which she do how their if will up other about out many then time some her make like him into has look").Split(' ')
        .Select(w => System.Text.Encoding.ASCII.GetBytes(" " + w)).Take(1 << BitsPerWord)];

    /// <summary>Bytes that a prompt takes at most.</summary>
    public static int MaxBytes(int words) => words * 6;

    /// <summary>Writes the prompt; it needs no escaping in JSON.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(in PlannedRequest request, ulong seed, Span<byte> destination)
    {
        var at = 0;
        var left = request.PromptTokens;
        Append(Mix(seed, 1, request.Prefix), Math.Min(left, request.PrefixTokens), destination, ref at);
        left -= Math.Min(left, request.PrefixTokens);
        foreach (var block in request.Blocks.Span)
        {
            if (left == 0) break;
            var words = Math.Min(left, TraceRequest.BlockTokens);
            Append(Mix(seed, 2, block), words, destination, ref at);
            left -= words;
        }

        Append(Mix(seed, 3, request.Number), left, destination, ref at);
        return at;
    }

    private static ulong Mix(ulong seed, ulong kind, long id) => BlockHash.Mix(seed + (kind << 60)) ^ BlockHash.OfTraceBlock(id);

    private static void Append(ulong seed, int words, Span<byte> destination, ref int at)
    {
        if (words == 0) return;
        var random = new Xoshiro256(seed);
        var bits = 0UL;
        for (var i = 0; i < words; i++)
        {
            if (i % (64 / BitsPerWord) == 0) bits = random.NextUInt64();
            var word = Words[(int)(bits & ((1 << BitsPerWord) - 1))];
            bits >>= BitsPerWord;
            word.CopyTo(destination[at..]);
            at += word.Length;
        }
    }
}
