using System.Buffers;

namespace Mesh.Cli.Load;

/// <summary>
/// Reads server-sent events of a text generation as their bytes come: counts the events that carry text and when the first and the last
/// came, and keeps the usage, an error event and whether <c>[DONE]</c> was said. An event is one <c>data:</c> line, as these APIs
/// write them. One stream each; not thread-safe.
/// </summary>
internal sealed class EventReader : IDisposable
{
    private const int MaxLineBytes = 1 << 20;

    private byte[] _carry = [];
    private int _carried;
    private bool _errorFollows;

    /// <summary>Events with text.</summary>
    public int Chunks { get; private set; }

    /// <summary>Time of the first event with text, as given to <see cref="Feed"/>; meaningless without chunks.</summary>
    public TimeSpan First { get; private set; }

    /// <summary>Time of the last event with text.</summary>
    public TimeSpan Last { get; private set; }

    /// <summary>The stream said that it is complete.</summary>
    public bool IsDone { get; private set; }

    /// <summary>What the last event with a usage told.</summary>
    public Usage Usage { get; private set; } = Usage.None;

    /// <summary>Code of an error event, or its type or status; null without one.</summary>
    public string? Error { get; private set; }

    /// <summary>Takes the next bytes, which arrived at a time.</summary>
    /// <returns>False when a line is too long to be an event.</returns>
    public bool Feed(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        while (true)
        {
            var end = bytes.IndexOf((byte)'\n');
            if (end < 0) return Carry(bytes);
            if (_carried == 0)
            {
                OnLine(bytes[..end], now);
            }
            else
            {
                if (!Carry(bytes[..end])) return false;
                OnLine(_carry.AsSpan(0, _carried), now);
                _carried = 0;
            }

            bytes = bytes[(end + 1)..];
        }
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (_carry.Length > 0) ArrayPool<byte>.Shared.Return(_carry);
        _carry = [];
    }

    private bool Carry(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0) return true;
        var length = _carried + bytes.Length;
        if (length > MaxLineBytes) return false;
        if (length > _carry.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(1024, length));
            _carry.AsSpan(0, _carried).CopyTo(larger);
            Dispose();
            _carry = larger;
        }

        bytes.CopyTo(_carry.AsSpan(_carried));
        _carried = length;
        return true;
    }

    private void OnLine(ReadOnlySpan<byte> line, TimeSpan now)
    {
        if (line.StartsWith("data:"u8)) OnData(line[5..].Trim(" \r"u8), now);
        else if (line.StartsWith("event:"u8)) _errorFollows = line[6..].Trim(" \r"u8).SequenceEqual("error"u8);
    }

    private void OnData(ReadOnlySpan<byte> data, TimeSpan now)
    {
        if (data.SequenceEqual("[DONE]"u8))
        {
            IsDone = true;
            return;
        }

        if (_errorFollows || (data.IndexOf("\"error\""u8) >= 0 && ErrorCode.Has(data)))
        {
            Error = ErrorCode.Read(data) ?? "without a code";
            _errorFollows = false;
            return;
        }

        if (HasText(data, "\"text\""u8) || HasText(data, "\"content\""u8) || HasText(data, "\"reasoning_content\""u8) || HasText(data, "\"arguments\""u8))
        {
            if (Chunks++ == 0) First = now;
            Last = now;
        }

        var usage = data.LastIndexOf("\"usage\""u8);
        if (usage >= 0 && data[(usage + 7)..].TrimStart(": "u8).StartsWith("{"u8)) Usage = Usage.Read(data);
    }

    // The whole event is not parsed: a key and a string behind it that is not empty are enough. Quotes within a text are escaped.
    private static bool HasText(ReadOnlySpan<byte> data, ReadOnlySpan<byte> key)
    {
        var at = data.IndexOf(key);
        if (at < 0) return false;
        var value = data[(at + key.Length)..].TrimStart(": "u8);
        return value.Length > 1 && value[0] == '"' && value[1] != '"';
    }
}
