namespace Mesh.Gateway.Upstream.Http1;

/// <summary>What the bytes mean: head, body, end, or what is wrong with them.</summary>
internal sealed partial class UpstreamConnection
{
    /// <summary>True when the head is there or cannot come any more.</summary>
    private bool TryHead()
    {
        while (true)
        {
            var status = _start == _end ? HeadStatus.Incomplete : HeadParser.TryParse(_buffer.AsSpan(_start, _end - _start), _hasNoBody, out _head);
            if (status == HeadStatus.Invalid) return Fail(UpstreamFailure.InvalidAnswer, "The answer is not HTTP/1.1.");
            if (status == HeadStatus.Incomplete)
            {
                if (_end - _start >= _limits.MaxHeadBytes) return Fail(UpstreamFailure.InvalidAnswer, $"The head is larger than {_limits.MaxHeadBytes} bytes.");
                if (!_seesEnd) return false;
                return Fail(_receivedAny ? UpstreamFailure.InvalidAnswer : UpstreamFailure.ResetBeforeHead, _detail ?? "The connection was closed before the answer.");
            }

            _start += _head.Length;
            if (!_head.IsInterim) break;
            if (++_interimHeads > MaxInterimHeads) return Fail(UpstreamFailure.InvalidAnswer, "Too many interim answers.");
        }

        _awaitsHead = false;
        _left = _head.ContentLength;
        _isBodyRead = _head.Framing == BodyFraming.None || (_head.Framing == BodyFraming.Length && _left == 0);
        return true;
    }

    /// <summary>Sets the next chunk; false when more bytes must come first.</summary>
    private bool TryDeliver()
    {
        if (_failure != UpstreamFailure.None) return Fail(_failure, _detail);
        if (_isBodyRead) return Deliver(default);
        var bytes = _buffer.AsMemory(_start, _end - _start);
        switch (_head.Framing)
        {
            case BodyFraming.Chunked when !bytes.IsEmpty:
                var data = _chunks.Decode(bytes.Span, out var used);
                _start += used;
                if (_chunks.IsInvalid) return Fail(UpstreamFailure.BodyBroken, "The chunks are malformed.");
                _isBodyRead = _chunks.IsDone;
                if (data > 0 || _isBodyRead) return Deliver(bytes[..data]);
                break;
            case BodyFraming.Length when !bytes.IsEmpty:
                var taken = (int)Math.Min(bytes.Length, _left);
                _start += taken;
                _left -= taken;
                _isBodyRead = _left == 0;
                return Deliver(bytes[..taken]);
            case BodyFraming.Close when !bytes.IsEmpty:
                _start = _end;
                return Deliver(bytes);
            case BodyFraming.Close when _seesEnd && _detail is null:
                _isBodyRead = true;
                return Deliver(default);
        }

        return _seesEnd && Fail(UpstreamFailure.BodyBroken, _detail ?? "The connection was closed within the body.");
    }

    private bool Deliver(ReadOnlyMemory<byte> bytes)
    {
        _chunk = new UpstreamChunk(bytes);
        return true;
    }

    private bool Fail(UpstreamFailure failure, string? detail)
    {
        // What a broken connection says after it was ended on purpose is only the consequence.
        if (Volatile.Read(ref _endedBy) is var ended and not 0) (failure, detail) = ((UpstreamFailure)ended, null);
        _failure = failure;
        _detail = detail;
        _chunk = new UpstreamChunk(default, failure, detail);
        return true;
    }

    private UpstreamChunk Aborted()
    {
        Fail(UpstreamFailure.Cancelled, null);
        return _chunk;
    }
}
