using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Gateway.Tests.Support;

/// <summary>Reads HTTP/1.1 requests with a length off a socket.</summary>
internal sealed class BackendReader(Socket socket)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    /// <summary>The next request; null when the other side closed between requests.</summary>
    public async Task<BackendRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await FillAsync(cancellationToken)) return null;
        }

        var lines = Encoding.Latin1.GetString(_buffer, 0, end).Split("\r\n");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var bodyLength = headers.TryGetValue("Content-Length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var total = end + 4 + bodyLength;
        while (_length < total)
        {
            if (!await FillAsync(cancellationToken)) throw new IOException("closed within a request");
        }

        var request = new BackendRequest(lines[0], headers, Encoding.UTF8.GetString(_buffer, end + 4, bodyLength));
        _buffer.AsSpan(total, _length - total).CopyTo(_buffer);
        _length -= total;
        return request;
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_length == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await socket.ReceiveAsync(_buffer.AsMemory(_length), SocketFlags.None, cancellationToken);
        _length += read;
        return read > 0;
    }
}
