using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Mesh.Core.PrefixCache;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>
/// The chain of block hashes of a scanned body's prompt: equal prefixes give equal blocks, in the order in which a server's template puts
/// them (system prompt where it stands apart, tools, then messages), whatever the order of the body's names and the white space between its tokens. Strings are hashed as
/// they are written, escapes included. Nothing is copied or allocated, and reading stops where the chain is full.
/// </summary>
internal static class PromptChain
{
    /// <summary>Prompts below one block have no chain.</summary>
    public const int MinBytes = 64 * PromptHasher.BytesPerToken;

    // Text in a JSON string holds no control characters, so these separate without ambiguity.
    private const byte Next = 0x01, Name = 0x02, Text = 0x03, Scalar = 0x04, Digest = 0x05, Field = 0x10;

    // Images and sounds stand in a message as text, and cost the server far fewer tokens than they have characters.
    private const int MaxDataBytes = 512;
    private const int MaxStackChars = 256;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = BodyScanner.MaxDepth };

    /// <summary>Longest chain.</summary>
    public static int MaxBlocks => PrefixLayout.Growing.MaxBlocks;

    /// <summary>Fills the chain.</summary>
    /// <param name="body">A body that <see cref="BodyScanner"/> accepted.</param>
    /// <param name="facts">What it found.</param>
    /// <param name="model">Model that the server gets.</param>
    /// <param name="chain">Takes the hashes.</param>
    /// <returns>Hashes written: whole blocks of the prompt.</returns>
    public static int Compute(ReadOnlySpan<byte> body, in BodyFacts facts, string model, Span<ulong> chain)
    {
        var seed = SeedOf(model, facts.IsChat ? 1UL : 0);
        if (!facts.SaltValue.IsEmpty) seed = PromptHasher.SeedOf(facts.SaltValue.Of(body), seed);
        var hasher = new PromptHasher(PrefixLayout.Growing, chain, seed);
        try
        {
            Append(body, facts, ref hasher);
        }
        catch (InvalidOperationException)
        {
            // A name that is half a surrogate pair cannot be compared. What stands before it still counts.
        }

        return hasher.Blocks;
    }

    private static void Append(ReadOnlySpan<byte> body, in BodyFacts facts, ref PromptHasher hasher)
    {
        if (!facts.IsChat)
        {
            AppendPrompt(facts.PromptValue.Of(body), ref hasher);
            return;
        }

        AppendSystem(facts.SystemValue.Of(body), ref hasher);
        AppendValue(facts.ToolsValue.Of(body), ref hasher, isData: false);
        if (facts.PromptValue.Of(body) is [(byte)'"', .. var text, _]) AppendText(text, ref hasher);
        else AppendMessages(facts.PromptValue.Of(body), ref hasher);
    }

    private static ulong SeedOf(string model, ulong seed)
    {
        // Longer names are no one's; their own hash is as good.
        if (model.Length > MaxStackChars) return seed ^ StableHash.Of(model);
        Span<byte> name = stackalloc byte[MaxStackChars * 3];
        return PromptHasher.SeedOf(name[..Encoding.UTF8.GetBytes(model, name)], seed);
    }

    /// <summary>A string, token ids, or a list of either: one token is as long in the chain as the layout takes a token to be.</summary>
    private static void AppendPrompt(ReadOnlySpan<byte> json, ref PromptHasher hasher)
    {
        if (json.IsEmpty) return;
        var reader = new Utf8JsonReader(json, Options);
        Span<byte> token = stackalloc byte[PromptHasher.BytesPerToken];
        var isFirst = true;
        while (!hasher.IsFull && reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String:
                    if (!isFirst) Mark(ref hasher, Next);
                    isFirst = false;
                    hasher.Append(reader.ValueSpan);
                    break;
                case JsonTokenType.Number when reader.TryGetInt32(out var id):
                    BinaryPrimitives.WriteInt32LittleEndian(token, id);
                    hasher.Append(token);
                    break;
                case JsonTokenType.Number:
                    // No token id, but still not the same as another.
                    Mark(ref hasher, Scalar);
                    hasher.Append(reader.ValueSpan);
                    break;
                case JsonTokenType.EndArray:
                    Mark(ref hasher, Next);
                    break;
            }
        }
    }

    /// <summary>A system prompt apart from the messages: a string or blocks. It takes the place of a first message.</summary>
    private static void AppendSystem(ReadOnlySpan<byte> json, ref PromptHasher hasher)
    {
        if (json is not [(byte)'"' or (byte)'[', ..]) return;
        Mark(ref hasher, Next);
        Mark(ref hasher, Field + MessageFields.Content);
        if (json[0] == '"') hasher.Append(json[1..^1]);
        else AppendParts(json, ref hasher);
    }

    /// <summary>An input that is one text.</summary>
    private static void AppendText(ReadOnlySpan<byte> text, ref PromptHasher hasher)
    {
        Mark(ref hasher, Next);
        Mark(ref hasher, Field + MessageFields.Content);
        hasher.Append(text);
    }

    private static void AppendMessages(ReadOnlySpan<byte> json, ref PromptHasher hasher)
    {
        var reader = new Utf8JsonReader(json, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return;
        while (!hasher.IsFull && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Mark(ref hasher, Next);
            if (reader.TokenType == JsonTokenType.StartObject) AppendMessage(MessageFields.Read(ref reader), json, ref hasher);
            else reader.Skip();
        }
    }

    private static void AppendMessage(in MessageFields message, ReadOnlySpan<byte> json, ref PromptHasher hasher)
    {
        for (var field = 0; field < MessageFields.Count; field++)
        {
            var value = message[field].Of(json);
            if (value.IsEmpty || value is [(byte)'n', ..]) continue;
            Mark(ref hasher, (byte)(Field + field));
            if (value is [(byte)'"', ..]) hasher.Append(value[1..^1]);
            else if (field == MessageFields.Content && value is [(byte)'[', ..]) AppendParts(value, ref hasher);
            else AppendValue(value, ref hasher, isData: false);
        }
    }

    /// <summary>Parts of a content. One text alone is the same as the text as a string.</summary>
    private static void AppendParts(ReadOnlySpan<byte> json, ref PromptHasher hasher)
    {
        var reader = new Utf8JsonReader(json, Options);
        reader.Read();
        for (var isFirst = true; !hasher.IsFull && reader.Read() && reader.TokenType != JsonTokenType.EndArray; isFirst = false)
        {
            if (!isFirst) Mark(ref hasher, Next);
            var start = (int)reader.TokenStartIndex;
            var text = reader.TokenType == JsonTokenType.StartObject ? MessageFields.ReadText(ref reader) : default;
            reader.Skip();
            if (text.IsEmpty) AppendValue(json[start..(int)reader.BytesConsumed], ref hasher, isData: true);
            else hasher.Append(text.Of(json)[1..^1]);
        }
    }

    /// <summary>Any value, token by token.</summary>
    private static void AppendValue(ReadOnlySpan<byte> json, ref PromptHasher hasher, bool isData)
    {
        if (json.IsEmpty) return;
        var reader = new Utf8JsonReader(json, Options);
        Span<byte> digest = stackalloc byte[sizeof(ulong)];
        while (!hasher.IsFull && reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String when isData && reader.ValueSpan.Length > MaxDataBytes:
                    Mark(ref hasher, Digest);
                    BinaryPrimitives.WriteUInt64LittleEndian(digest, StableHash.Of(reader.ValueSpan));
                    hasher.Append(digest);
                    break;
                case JsonTokenType.PropertyName:
                    Mark(ref hasher, Name);
                    hasher.Append(reader.ValueSpan);
                    break;
                case JsonTokenType.String:
                    Mark(ref hasher, Text);
                    hasher.Append(reader.ValueSpan);
                    break;
                default:
                    Mark(ref hasher, Scalar);
                    hasher.Append(reader.ValueSpan);
                    break;
            }
        }
    }

    private static void Mark(ref PromptHasher hasher, byte mark) => hasher.Append([mark]);
}
