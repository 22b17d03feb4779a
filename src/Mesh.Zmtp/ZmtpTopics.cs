using System.Collections.Immutable;

namespace Mesh.Zmtp;

/// <summary>The topics that one subscriber has asked for. Changed by the connection's reader, read from any thread.</summary>
internal sealed class ZmtpTopics
{
    private const int MaxTopics = 256;
    private ImmutableArray<byte[]> _topics = [];

    /// <summary>Adds a topic, or takes it back; one that was asked for twice has to be taken back twice. False when there are too many.</summary>
    public bool TryApply(ReadOnlySpan<byte> topic, bool subscribe)
    {
        if (subscribe)
        {
            if (_topics.Length == MaxTopics) return false;
            _topics = _topics.Add(topic.ToArray());
            return true;
        }
        for (var i = 0; i < _topics.Length; i++)
        {
            if (!topic.SequenceEqual(_topics[i])) continue;
            _topics = _topics.RemoveAt(i);
            break;
        }
        return true;
    }

    /// <summary>Takes the message by which peers of version 3.0 subscribe: 1 or 0, then the topic. False when it is no such message.</summary>
    public bool TryApply(ReadOnlySpan<byte> message) =>
        message is [0 or 1, ..] && TryApply(message[1..], message[0] == 1);

    /// <summary>Whether a message with this first frame is to be sent.</summary>
    public bool Matches(ReadOnlySpan<byte> firstFrame)
    {
        foreach (var topic in _topics)
        {
            if (firstFrame.StartsWith(topic)) return true;
        }
        return false;
    }
}
