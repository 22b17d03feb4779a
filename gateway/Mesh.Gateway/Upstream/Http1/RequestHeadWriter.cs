using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Mesh.Engine.Scraping.Orca;
using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// Writes the head of a request, and of its body what fits behind it, into pooled memory: one send for most requests. Nothing that it is
/// given can end a line or the head early.
/// </summary>
internal ref struct RequestHeadWriter
{
    private const int FirstRentBytes = 4096;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstRentBytes);
    private int _length;

    public RequestHeadWriter()
    {
    }

    /// <summary>Writes a request.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="hostHeader">Host unless the request has one.</param>
    /// <param name="bodyBytes">How much of the body is in the result.</param>
    /// <returns>A rented array and how much of it is used.</returns>
    public static ArraySegment<byte> Write(UpstreamRequest request, string hostHeader, out int bodyBytes)
    {
        var writer = new RequestHeadWriter();
        writer.Append(request.Method);
        writer.Append(" "u8);
        writer.AppendTarget(request.Target);
        writer.Append(" HTTP/1.1\r\n"u8);
        writer.AppendHeader("Host", request.Host ?? hostHeader);
        writer.AppendHeaders(request);
        writer.AppendHeader("X-Request-Id", request.RequestId);
        if (request.AsksForLoad) writer.AppendHeader(OrcaHeader.FormatName, "TEXT");
        var body = request.Body.Memory.Span;
        if (!body.IsEmpty || !IsWithoutBody(request.Method)) writer.AppendLength(body.Length);
        writer.Append("\r\n"u8);
        bodyBytes = Math.Min(body.Length, writer._buffer.Length - writer._length);
        writer.Append(body[..bodyBytes]);
        return new ArraySegment<byte>(writer._buffer, 0, writer._length);
    }

    private static bool IsWithoutBody(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsDelete(method);

    private void AppendHeaders(UpstreamRequest request)
    {
        var connection = request.Headers.Connection;
        if (request.Headers is HeaderDictionary dictionary)
        {
            foreach (var (name, values) in dictionary) Append(request, name, values, connection);
        }
        else
        {
            foreach (var (name, values) in request.Headers) Append(request, name, values, connection);
        }
    }

    private void Append(UpstreamRequest request, string name, StringValues values, StringValues connection)
    {
        if (request.HeadersAreFinal ? HeaderRules.IsOfConnection(name) : !HeaderRules.IsForwarded(name, connection)) return;
        // As one line: what a list means does not depend on how it came. Only cookies have a separator of their own.
        var value = values.Count == 1 ? values[0] : string.Join(name.Equals("Cookie", StringComparison.OrdinalIgnoreCase) ? "; " : ", ", (IEnumerable<string?>)values);
        AppendHeader(name, value ?? "");
    }

    private void AppendHeader(string name, string value)
    {
        // Kestrel lets no such thing in, and the manifests' filters are checked; a header that could split a request is left out all the same.
        if (value.AsSpan().ContainsAny('\r', '\n', '\0') || name.AsSpan().ContainsAny("\r\n\0: \t")) return;
        Append(name);
        Append(": "u8);
        Append(value);
        Append("\r\n"u8);
    }

    private void AppendLength(int length)
    {
        Append("Content-Length: "u8);
        Reserve(16);
        Utf8Formatter.TryFormat(length, _buffer.AsSpan(_length), out var written);
        _length += written;
        Append("\r\n"u8);
    }

    /// <summary>The path comes decoded from the server: what cannot stand on a request line is encoded again.</summary>
    private void AppendTarget(string target)
    {
        if (!target.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            Append(target);
            return;
        }

        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in target.EnumerateRunes())
        {
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                Reserve(3);
                if (b is > (byte)' ' and < 127)
                {
                    _buffer[_length++] = b;
                    continue;
                }

                _buffer[_length++] = (byte)'%';
                _buffer[_length++] = (byte)"0123456789ABCDEF"[b >> 4];
                _buffer[_length++] = (byte)"0123456789ABCDEF"[b & 15];
            }
        }
    }

    private void Append(string text)
    {
        Reserve(text.Length);
        _length += Encoding.Latin1.GetBytes(text, _buffer.AsSpan(_length));
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_length + count <= _buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, _buffer.Length * 2));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
