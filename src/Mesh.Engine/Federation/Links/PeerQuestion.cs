using System.Net;

namespace Mesh.Engine.Federation.Links;

/// <summary>One question to a peer besides its reports.</summary>
public static class PeerQuestion
{
    /// <summary>Asks, checks who answers, and reads the answer.</summary>
    /// <param name="url">Base address.</param>
    /// <param name="peer">The peer as configured.</param>
    /// <param name="path">Path.</param>
    /// <param name="mostBytes">Largest answer.</param>
    /// <param name="self">Who asks.</param>
    /// <param name="connect">Gives a client.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HttpRequestException">It could not be had; the message says why.</exception>
    public static async Task<byte[]> AskAsync(
        Uri url, PeerAddress peer, string path, int mostBytes, PeerIdentity self, Func<PeerAddress, HttpMessageInvoker> connect, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(connect);
        using var invoker = connect(peer);
        using var request = PeerFollower.Request(url, path, self);
        using var response = await invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK) throw new HttpRequestException($"{url} answered {(int)response.StatusCode}.", null, response.StatusCode);
        var identity = PeerIdentity.Read(name => response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null);
        if (self.Objection(peer, identity) is { } objection) throw new HttpRequestException($"The gateway at {url} {objection}.");
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (var read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false); read > 0; read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false))
        {
            if (body.Length + read > mostBytes) throw new HttpRequestException($"The answer of {url} is larger than {mostBytes} bytes.");
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
