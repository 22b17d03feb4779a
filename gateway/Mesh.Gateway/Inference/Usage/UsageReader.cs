using System.Text.Json;

namespace Mesh.Gateway.Inference.Usage;

/// <summary>Reads the last <c>usage</c> object in the tail of an answer, plain or streamed, without looking at what stands before it.</summary>
internal static class UsageReader
{
    /// <summary>Reads it. Never throws, whatever the bytes; all zero when there is none.</summary>
    public static TokenUsage Read(ReadOnlySpan<byte> tail)
    {
        // In texts of an answer the quotes are escaped, so this is a name. Each turn looks at less.
        for (var at = tail.LastIndexOf("\"usage\""u8); at >= 0; at = tail.LastIndexOf("\"usage\""u8))
        {
            var value = tail[(at + "\"usage\"".Length)..].TrimStart(" \t\r\n"u8);
            if (value is [(byte)':', .. var rest] && TryReadObject(rest.TrimStart(" \t\r\n"u8), out var usage)) return usage;
            tail = tail[..at];
        }

        return default;
    }

    private static bool TryReadObject(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        usage = default;
        if (json is not [(byte)'{', ..]) return false;
        var reader = new Utf8JsonReader(json, isFinalBlock: false, default);
        var field = Field.Other;
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        field = FieldAt(ref reader);
                        break;
                    case JsonTokenType.Number when reader.TryGetInt32(out var count) && count >= 0:
                        usage = field switch
                        {
                            Field.Prompt when reader.CurrentDepth == 1 => usage with { Prompt = count },
                            Field.Output when reader.CurrentDepth == 1 => usage with { Output = count },
                            Field.Total when reader.CurrentDepth == 1 => usage with { Total = count },
                            // Anthropic counts what it read from the cache apart.
                            Field.CacheRead when reader.CurrentDepth == 1 => usage with { Cached = count, IsCachedKnown = true, Prompt = Sum(usage.Prompt, count) },
                            Field.CacheWrite when reader.CurrentDepth == 1 => usage with { Prompt = Sum(usage.Prompt, count) },
                            Field.Input when reader.CurrentDepth == 1 => usage with { Prompt = Sum(usage.Prompt, count) },
                            Field.Cached => usage with { Cached = count, IsCachedKnown = true },
                            _ => usage,
                        };
                        break;
                    case JsonTokenType.EndObject when reader.CurrentDepth == 0:
                        // Where nothing is generated some servers tell the total alone.
                        if (usage.Prompt == 0 && usage.Total > usage.Output) usage = usage with { Prompt = usage.Total - usage.Output };
                        usage = usage with { Total = 0 };
                        return true;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or a name that is no text: nothing to learn here.
        }

        usage = default;
        return false;
    }

    private static int Sum(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);

    private static Field FieldAt(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("prompt_tokens"u8)) return Field.Prompt;
        if (reader.ValueTextEquals("completion_tokens"u8)) return Field.Output;
        if (reader.ValueTextEquals("cached_tokens"u8)) return Field.Cached;
        if (reader.ValueTextEquals("input_tokens"u8)) return Field.Input;
        if (reader.ValueTextEquals("output_tokens"u8)) return Field.Output;
        if (reader.ValueTextEquals("cache_read_input_tokens"u8)) return Field.CacheRead;
        if (reader.ValueTextEquals("cache_creation_input_tokens"u8)) return Field.CacheWrite;
        return reader.ValueTextEquals("total_tokens"u8) ? Field.Total : Field.Other;
    }

    private enum Field
    {
        Other,
        Prompt,
        Output,
        Cached,
        Input,
        CacheRead,
        CacheWrite,
        Total,
    }
}

/// <summary>Tokens that an answer says it took; 0 when unknown.</summary>
/// <param name="Prompt">Tokens of the prompt.</param>
/// <param name="Cached">Those of them that came from the prefix cache.</param>
/// <param name="Output">Generated tokens.</param>
internal readonly record struct TokenUsage(int Prompt, int Cached, int Output)
{
    /// <summary>Sum that the answer gives, while it is read; 0 afterwards.</summary>
    internal int Total { get; init; }

    /// <summary>True when the answer told of cached tokens, be it of none.</summary>
    public bool IsCachedKnown { get; init; }

    /// <summary>This usage, with what it leaves open from another one.</summary>
    public TokenUsage Or(TokenUsage first) => new(Math.Max(Prompt, first.Prompt), Math.Max(Cached, first.Cached), Math.Max(Output, first.Output))
    {
        IsCachedKnown = IsCachedKnown || first.IsCachedKnown,
    };
}
