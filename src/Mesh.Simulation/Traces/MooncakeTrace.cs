using System.Text.Json;
using Mesh.Core.Randomness;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Traces;

/// <summary>
/// Mooncake's JSONL: <c>timestamp</c> in ms, <c>input_length</c> and <c>output_length</c> in tokens, <c>hash_ids</c> of blocks of 512 tokens.
/// Timestamps come in ticks: the rows of one tick are spread uniformly, by the seed, up to the next tick, and keep their order.
/// </summary>
internal static class MooncakeTrace
{
    private const double MostTickMs = 3000;

    /// <summary>Reads rows until the end of <paramref name="lines"/>, or <paramref name="most"/> of them after leaving out <paramref name="skip"/>.</summary>
    /// <exception cref="TraceFormatException">A line is not such a row.</exception>
    public static List<TraceRequest> Read(IEnumerable<string> lines, string source, ulong seed, int skip = 0, int most = int.MaxValue)
    {
        List<TraceRequest> rows = [];
        var number = 0L;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (skip-- > 0) continue;
            if (rows.Count >= most) break;
            var row = Parse(line, source, number);
            if (rows.Count > 0 && row.ArrivalMs < rows[^1].ArrivalMs) throw new TraceFormatException(source, number, "timestamp falls: rows must be in order of time.");
            rows.Add(row);
        }

        Spread(rows, new Xoshiro256(seed));
        return rows;
    }

    private static TraceRequest Parse(string line, string source, long number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object) throw new TraceFormatException(source, number, "a JSON object is expected.");
            var timestamp = Number(row, "timestamp", 0, 1e15, source, number);
            var prompt = (int)Number(row, "input_length", 1, 1 << 24, source, number);
            var output = (int)Number(row, "output_length", 1, 1 << 24, source, number);
            var blocks = Blocks(row, prompt, source, number);
            return new TraceRequest
            {
                ArrivalMs = timestamp,
                PromptTokens = prompt,
                OutputTokens = output,
                Blocks = blocks,
                KnownTokens = prompt,
                Session = SessionOf(blocks, number),
            };
        }
        catch (JsonException e)
        {
            // The parser's own message counts lines and bytes from 0, and of a text of one line.
            var cut = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            throw new TraceFormatException(source, number, $"not JSON at byte {(e.BytePositionInLine ?? 0) + 1}: {(cut < 0 ? e.Message : e.Message[..cut])}");
        }
    }

    private static double Number(JsonElement row, string name, double least, double most, string source, long line)
    {
        if (!row.TryGetProperty(name, out var value)) throw new TraceFormatException(source, line, $"{name} is missing.");
        if (value.ValueKind != JsonValueKind.Number || value.GetDouble() is var number && !(number >= least && number <= most))
            throw new TraceFormatException(source, line, $"{name} must be a number, {least:0} to {most:0}.");
        return value.GetDouble();
    }

    private static long[] Blocks(JsonElement row, int prompt, string source, long line)
    {
        if (!row.TryGetProperty("hash_ids", out var ids)) throw new TraceFormatException(source, line, "hash_ids is missing.");
        var most = (prompt + TraceRequest.BlockTokens - 1) / TraceRequest.BlockTokens;
        if (ids.ValueKind != JsonValueKind.Array || ids.GetArrayLength() > most)
            throw new TraceFormatException(source, line, $"hash_ids must be a list of at most {most} numbers, one per 512 tokens of the prompt.");
        var blocks = new long[ids.GetArrayLength()];
        var i = 0;
        foreach (var id in ids.EnumerateArray())
        {
            if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt64(out blocks[i++])) throw new TraceFormatException(source, line, "hash_ids must be whole numbers.");
        }

        return blocks;
    }

    // The trace names no sessions. Its first block is mostly a system prompt that many share; the second is the first that tells
    // conversations apart, and stays the same through a conversation's turns.
    private static ulong SessionOf(long[] blocks, long line) =>
        BlockHash.OfTraceBlock(blocks.Length switch { 0 => -line, 1 => blocks[0], _ => blocks[1] });

    private static void Spread(List<TraceRequest> rows, Xoshiro256 random)
    {
        Span<double> offsets = stackalloc double[64];
        var width = 0.0;
        for (var first = 0; first < rows.Count;)
        {
            var tick = rows[first].ArrivalMs;
            var end = first + 1;
            while (end < rows.Count && rows[end].ArrivalMs == tick) end++;
            // Nothing tells how long the last tick was: as long as the one before.
            if (end < rows.Count) width = Math.Min(MostTickMs, rows[end].ArrivalMs - tick);
            var count = end - first;
            var spread = count <= offsets.Length ? offsets[..count] : new double[count];
            for (var i = 0; i < count; i++) spread[i] = random.NextDouble() * width;
            spread.Sort();
            for (var i = 0; i < count; i++) rows[first + i] = rows[first + i] with { ArrivalMs = tick + spread[i] };
            first = end;
        }
    }
}
