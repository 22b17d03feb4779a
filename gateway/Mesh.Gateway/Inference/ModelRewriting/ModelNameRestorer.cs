using System.Buffers;

namespace Mesh.Gateway.Inference.ModelRewriting;

/// <summary>
/// Puts the client's name of the model back into an answer: the string value of <c>model</c> at the first level of a JSON body, or of each
/// <c>data:</c> line of a stream, is replaced while the bytes pass, wherever they are cut. All other bytes stay. Keeps no bytes back.
/// </summary>
internal sealed class ModelNameRestorer(bool isStream, ReadOnlyMemory<byte> nameJson) : IDisposable
{
    private const int FirstRentBytes = 16 * 1024;

    private byte[] _output = ArrayPool<byte>.Shared.Rent(FirstRentBytes);
    private int _length;
    private Place _place = isStream ? Place.LineStart : Place.Json;
    private int _matched;
    private int _depth;
    private bool _rootIsObject;
    private bool _expectsKey;
    private bool _isKey;
    private bool _isModelKey;
    private bool _escaped;

    private enum Place
    {
        /// <summary>At the start of a line, perhaps within <c>data:</c>.</summary>
        LineStart,

        /// <summary>In a line that is no data.</summary>
        OtherLine,

        /// <summary>Between tokens.</summary>
        Json,

        /// <summary>In a string that stays.</summary>
        String,

        /// <summary>In the string that is replaced.</summary>
        ModelName,
    }

    /// <summary>The bytes as the client gets them; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Restore(ReadOnlySpan<byte> bytes)
    {
        _length = 0;
        var from = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            if (b == '\n' && isStream)
            {
                if (_place == Place.ModelName) from = i;
                BeginLine();
                continue;
            }

            switch (_place)
            {
                case Place.LineStart:
                    OnLineStart(b);
                    break;
                case Place.String:
                    OnString(b);
                    break;
                case Place.ModelName when EndsString(b):
                    _place = Place.Json;
                    from = i + 1;
                    break;
                case Place.Json when b == '"' && _isModelKey && _depth == 1:
                    Append(bytes[from..i]);
                    Append(nameJson.Span);
                    _isModelKey = false;
                    _place = Place.ModelName;
                    break;
                case Place.Json:
                    OnJson(b);
                    break;
            }
        }

        if (_place != Place.ModelName) Append(bytes[from..]);
        return _output.AsMemory(0, _length);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_output);

    private void BeginLine()
    {
        _place = Place.LineStart;
        _matched = _depth = 0;
        _isKey = _isModelKey = _expectsKey = _escaped = _rootIsObject = false;
    }

    private void OnLineStart(byte b)
    {
        var prefix = "data:"u8;
        if (b != prefix[_matched]) _place = Place.OtherLine;
        else if (++_matched == prefix.Length) _place = Place.Json;
    }

    private void OnString(byte b)
    {
        var name = "model"u8;
        if (EndsString(b))
        {
            _place = Place.Json;
            _isModelKey = _isKey && _matched == name.Length;
            _isKey = false;
        }
        else if (_isKey)
        {
            // An escape or another letter: no match any more.
            _matched = _matched >= 0 && _matched < name.Length && b == name[_matched] ? _matched + 1 : -1;
        }
    }

    private bool EndsString(byte b)
    {
        if (_escaped) _escaped = false;
        else if (b == '\\') _escaped = true;
        else return b == '"';
        return false;
    }

    private void OnJson(byte b)
    {
        switch (b)
        {
            case (byte)'"':
                _isKey = _expectsKey && _depth == 1;
                _expectsKey = false;
                _matched = 0;
                _place = Place.String;
                break;
            case (byte)'{' or (byte)'[':
                _isModelKey = false;
                if (++_depth == 1) _expectsKey = _rootIsObject = b == '{';
                break;
            case (byte)'}' or (byte)']':
                _isModelKey = false;
                _depth--;
                break;
            case (byte)',':
                _isModelKey = false;
                if (_depth == 1) _expectsKey = _rootIsObject;
                break;
            case (byte)':' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                break;
            default:
                // A value that is no string.
                _isModelKey = false;
                break;
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _output.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + bytes.Length, _output.Length * 2));
            _output.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_output);
            _output = larger;
        }

        bytes.CopyTo(_output.AsSpan(_length));
        _length += bytes.Length;
    }
}
