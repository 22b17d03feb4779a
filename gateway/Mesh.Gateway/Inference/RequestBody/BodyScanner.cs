using System.Text;
using System.Text.Json;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>
/// Finds what routing needs in a JSON body of any API, in one pass and without a document tree. Values of the wrong type are left for
/// the model server to complain about, except the model, which routing cannot do without. As in other JSON readers the last of equal names counts.
/// </summary>
internal static class BodyScanner
{
    /// <summary>Deepest nesting accepted.</summary>
    public const int MaxDepth = 256;

    // What a chat template typically adds around one message.
    private const int TokensPerMessage = 4;

    private const int MaxIdBytes = 256;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>Scans a body. Never throws, whatever the bytes.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="facts">What was found; default when the body is not a JSON object.</param>
    /// <param name="error">Where it went wrong; default when it did not.</param>
    public static bool TryScan(ReadOnlySpan<byte> body, out BodyFacts facts, out BodyError error)
    {
        facts = default;
        error = default;
        var offset = body.StartsWith("\uFEFF"u8) ? 3 : 0;
        var reader = new Utf8JsonReader(body[offset..], Options);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                error = new BodyError(0, 0, "the body must be a JSON object");
                return false;
            }

            facts.RootOffset = (int)reader.TokenStartIndex + offset;
            ScanRoot(ref reader, ref facts, offset);
            // Anything after the object is an error of the reader's.
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException e)
        {
            facts = default;
            error = new BodyError(e.LineNumber ?? 0, e.BytePositionInLine ?? 0, body.Length == offset ? "the body is empty" : Sentence(e.Message));
            return false;
        }
        catch (InvalidOperationException)
        {
            // The reader checks escapes only when it compares a name: half a surrogate pair is not text.
            facts = default;
            error = At(body[offset..], (int)reader.TokenStartIndex, "a property name is not valid text");
            return false;
        }
    }

    private static BodyError At(ReadOnlySpan<byte> body, int index, string detail)
    {
        var before = body[..Math.Min(index, body.Length)];
        return new BodyError(before.Count((byte)'\n'), before.Length - (before.LastIndexOf((byte)'\n') + 1), detail);
    }

    private static void ScanRoot(ref Utf8JsonReader reader, ref BodyFacts facts, int offset)
    {
        long start;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            switch (RootProperties.Find(ref reader))
            {
                case RootProperty.Model:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    ReadModel(ref reader, ref facts);
                    facts.ModelValue = RangeFrom(start, ref reader, offset);
                    break;
                case RootProperty.Stream:
                    reader.Read();
                    facts.Stream = reader.TokenType == JsonTokenType.True;
                    reader.Skip();
                    break;
                case RootProperty.StreamOptions:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    StreamOptions.Read(ref reader, ref facts, offset);
                    facts.StreamOptionsValue = RangeFrom(start, ref reader, offset);
                    break;
                case RootProperty.MaxTokens:
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var cap) && cap > 0) facts.MaxOutputTokens = cap;
                    reader.Skip();
                    break;
                case RootProperty.Prompt:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    PromptText.CountPrompt(ref reader, ref facts);
                    facts.PromptValue = RangeFrom(start, ref reader, offset);
                    facts.IsChat = false;
                    break;
                case RootProperty.Messages:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    PromptText.CountMessages(ref reader, ref facts, TokensPerMessage);
                    facts.PromptValue = RangeFrom(start, ref reader, offset);
                    facts.IsChat = true;
                    break;
                case RootProperty.Input:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    if (PromptText.IsConversation(reader)) PromptText.CountMessages(ref reader, ref facts, TokensPerMessage);
                    else PromptText.CountPrompt(ref reader, ref facts);
                    facts.PromptValue = RangeFrom(start, ref reader, offset);
                    facts.IsChat = true;
                    break;
                case RootProperty.System:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    PromptText.CountSystem(ref reader, ref facts, TokensPerMessage);
                    facts.SystemValue = RangeFrom(start, ref reader, offset);
                    break;
                case RootProperty.Text:
                    reader.Read();
                    PromptText.CountPrompt(ref reader, ref facts);
                    break;
                case RootProperty.RequestId:
                    reader.Read();
                    facts.HasRequestId = true;
                    reader.Skip();
                    break;
                case RootProperty.PreviousResponseId:
                    reader.Read();
                    // Ids are plain: one with an escape is none of ours, and compares with nothing.
                    facts.PreviousResponseId = reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped && reader.ValueSpan.Length <= MaxIdBytes
                        ? Encoding.ASCII.GetString(reader.ValueSpan) : null;
                    reader.Skip();
                    break;
                case RootProperty.Tools:
                    reader.Read();
                    start = reader.TokenStartIndex;
                    reader.Skip();
                    facts.ToolsValue = RangeFrom(start, ref reader, offset);
                    // Tool definitions are put into the prompt much as they are written.
                    facts.PromptTextBytes += facts.ToolsValue.Length;
                    break;
                case RootProperty.CacheSalt:
                    reader.Read();
                    facts.SaltValue = reader.TokenType == JsonTokenType.String
                        ? new ByteRange((int)reader.TokenStartIndex + offset, reader.ValueSpan.Length + 2) : default;
                    reader.Skip();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void ReadModel(ref Utf8JsonReader reader, ref BodyFacts facts)
    {
        facts.Model = null;
        facts.ModelHasWrongType = reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null);
        if (reader.TokenType == JsonTokenType.String)
        {
            try
            {
                facts.Model = reader.GetString();
            }
            catch (InvalidOperationException)
            {
                // Half a surrogate pair or broken UTF-8: not text.
                facts.ModelHasWrongType = true;
            }
        }

        reader.Skip();
    }

    private static ByteRange RangeFrom(long start, ref Utf8JsonReader reader, int offset) =>
        new((int)start + offset, (int)(reader.BytesConsumed - start));

    // The reader's messages end in a position counted from 0; ours counts from 1 and stands in front.
    private static string Sentence(string message)
    {
        var position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (position < 0 ? message : message[..position]).TrimEnd('.');
    }
}

/// <summary>Where and why a body is not what it must be.</summary>
/// <param name="LineIndex">Line, from 0.</param>
/// <param name="ByteIndex">Byte within the line, from 0.</param>
/// <param name="Detail">Why, without a full stop.</param>
internal readonly record struct BodyError(long LineIndex, long ByteIndex, string Detail)
{
    /// <summary>The message that the client gets; positions count from 1.</summary>
    public string Message => $"Invalid JSON at line {LineIndex + 1}, byte {ByteIndex + 1}: {Detail}.";
}
