using System.Buffers;

namespace Mesh.Gateway.Inference.Usage;

/// <summary>
/// Keeps from the client of a stream the one event that it did not ask for: the chunk with <c>"choices":[]</c> and a <c>usage</c> object.
/// Every other byte passes as it came, wherever reads cut the stream. Of an event it looks at no more than it takes to know that the
/// choices are not empty; that much may be held back until more comes. Nothing is allocated for a chunk.
/// </summary>
internal sealed class UsageWithholder : IDisposable
{
    /// <summary>Longest event that is held back; a longer one is no usage and passes.</summary>
    public const int MaxHeldBytes = 16 * 1024;

    private byte[]? _held;
    private int _heldLength;
    private byte[]? _output;
    private bool _passing;
    private bool _lineHasBytes;

    private enum Verdict
    {
        Passes,
        Withheld,
        Unknown,
    }

    /// <summary>The bytes that the client gets; valid until the next call. Often the very bytes given.</summary>
    public ReadOnlyMemory<byte> Filter(ReadOnlyMemory<byte> bytes)
    {
        if (_heldLength > 0) bytes = Join(bytes.Span);
        var span = bytes.Span;
        // Where nothing is withheld, what passes is one piece of what came, and is not copied.
        int at = 0, kept = 0;
        var copied = -1;
        while (at < span.Length)
        {
            if (_passing)
            {
                at += PassEvent(span[at..]);
                continue;
            }

            var length = EventLength(span[at..]);
            var verdict = Judge(length < 0 ? span[at..] : span.Slice(at, length), isWhole: length >= 0);
            if (verdict == Verdict.Unknown && span.Length - at > MaxHeldBytes) verdict = Verdict.Passes;
            switch (verdict)
            {
                case Verdict.Passes when length >= 0:
                    at += length;
                    break;
                case Verdict.Passes:
                    _passing = true;
                    _lineHasBytes = false;
                    break;
                case Verdict.Withheld:
                    Keep(span[kept..at], ref copied);
                    at += length;
                    kept = at;
                    break;
                default:
                    var rest = bytes[kept..at];
                    if (copied >= 0) Keep(rest.Span, ref copied);
                    var output = copied >= 0 ? _output.AsMemory(0, copied) : Detached(rest);
                    Hold(span[at..]);
                    return output;
            }
        }

        _heldLength = 0;
        if (copied < 0) return bytes[kept..];
        Keep(span[kept..], ref copied);
        return _output.AsMemory(0, copied);
    }

    /// <summary>What is still held back when the stream ends within an event; valid until the next call.</summary>
    public ReadOnlyMemory<byte> End()
    {
        var rest = _held.AsMemory(0, _heldLength);
        _heldLength = 0;
        return rest;
    }

    public void Dispose()
    {
        if (_held is not null) ArrayPool<byte>.Shared.Return(_held);
        if (_output is not null) ArrayPool<byte>.Shared.Return(_output);
        _held = _output = null;
        _heldLength = 0;
    }

    /// <summary>Length of the first event with the empty line that ends it; -1 when that has not come.</summary>
    private static int EventLength(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (true)
        {
            var lf = bytes[at..].IndexOf((byte)'\n');
            if (lf < 0) return -1;
            var line = bytes.Slice(at, lf);
            at += lf + 1;
            if (line.IsEmpty || line is [(byte)'\r']) return at;
        }
    }

    private static Verdict Judge(ReadOnlySpan<byte> text, bool isWhole)
    {
        var open = isWhole ? Verdict.Passes : Verdict.Unknown;
        if (!text.StartsWith("data:"u8)) return "data:"u8.StartsWith(text) ? open : Verdict.Passes;
        // Quotes within a text are escaped, so this is a name, or a text that no colon follows.
        var from = 0;
        while (true)
        {
            var found = text[from..].IndexOf("\"choices\""u8);
            if (found < 0) return open;
            from += found + "\"choices\""u8.Length;
            var value = text[from..].TrimStart(" \t"u8);
            if (value.IsEmpty) return open;
            if (value[0] != ':') continue;
            value = value[1..].TrimStart(" \t"u8);
            if (value.IsEmpty) return open;
            if (value[0] != '[') return Verdict.Passes;
            value = value[1..].TrimStart(" \t"u8);
            if (value.IsEmpty) return open;
            if (value[0] != ']') return Verdict.Passes;
            if (!isWhole) return Verdict.Unknown;
            return HasUsage(text) && IsOneLine(text) ? Verdict.Withheld : Verdict.Passes;
        }
    }

    private static bool HasUsage(ReadOnlySpan<byte> text)
    {
        var at = text.IndexOf("\"usage\""u8);
        if (at < 0) return false;
        var value = text[(at + "\"usage\""u8.Length)..].TrimStart(" \t"u8);
        return value is [(byte)':', ..] && value[1..].TrimStart(" \t"u8) is [(byte)'{', ..];
    }

    private static bool IsOneLine(ReadOnlySpan<byte> text) => text.TrimEnd("\r\n"u8).IndexOf((byte)'\n') < 0;

    /// <summary>Passes bytes up to the end of the event, of which not all need be there yet.</summary>
    private int PassEvent(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            var lf = bytes[at..].IndexOf((byte)'\n');
            var line = lf < 0 ? bytes[at..] : bytes.Slice(at, lf);
            _lineHasBytes |= !line.IsEmpty && line is not [(byte)'\r'];
            if (lf < 0) return bytes.Length;
            at += lf + 1;
            _passing = _lineHasBytes;
            _lineHasBytes = false;
            if (!_passing) break;
        }

        return at;
    }

    // Held bytes and new ones as one piece.
    private ReadOnlyMemory<byte> Join(ReadOnlySpan<byte> bytes)
    {
        Reserve(ref _held, _heldLength, _heldLength + bytes.Length);
        bytes.CopyTo(_held.AsSpan(_heldLength));
        return _held.AsMemory(0, _heldLength + bytes.Length);
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        Reserve(ref _held, 0, bytes.Length);
        // The bytes may stand in the same array, further on.
        bytes.CopyTo(_held);
        _heldLength = bytes.Length;
    }

    // What is held next may be written over what goes out now.
    private ReadOnlyMemory<byte> Detached(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty || _heldLength == 0) return bytes;
        var copied = -1;
        Keep(bytes.Span, ref copied);
        return _output.AsMemory(0, copied);
    }

    private void Keep(ReadOnlySpan<byte> bytes, ref int copied)
    {
        if (copied < 0) copied = 0;
        Reserve(ref _output, copied, copied + bytes.Length);
        bytes.CopyTo(_output.AsSpan(copied));
        copied += bytes.Length;
    }

    private static void Reserve(ref byte[]? array, int used, int needed)
    {
        if (array is not null && array.Length >= needed) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2048));
        if (array is not null)
        {
            array.AsSpan(0, used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(array);
        }

        array = larger;
    }
}
