using System.Text;
using Mesh.Engine.Http.Pages;

namespace Mesh.Engine.Tests.Http.Pages;

/// <summary>What a decoder made of a whole response that came in pieces, after which the connection ended.</summary>
internal sealed record DecodedResponse(DecodeResult? Result, int Status, string Body, bool CanReuse, string Fault)
{
    /// <param name="decoder">Used again and again.</param>
    /// <param name="response">Everything that the server sends.</param>
    /// <param name="piece">Size of the next piece.</param>
    public static DecodedResponse Of(ResponseDecoder decoder, ReadOnlySpan<byte> response, Func<int> piece)
    {
        var buffer = new byte[response.Length];
        decoder.Begin();
        var length = 0;
        var result = DecodeResult.More;
        while (result == DecodeResult.More && !response.IsEmpty)
        {
            var next = response[..Math.Clamp(piece(), 1, response.Length)];
            next.CopyTo(buffer.AsSpan(length));
            length += next.Length;
            response = response[next.Length..];
            result = decoder.Decode(buffer, ref length);
            Assert.InRange(decoder.Body.End.Value, decoder.Body.Start.Value, length);
        }

        DecodeResult? final = result != DecodeResult.More ? result : decoder.End() ? DecodeResult.Done : null;
        var body = final == DecodeResult.Done ? Encoding.Latin1.GetString(buffer.AsSpan(decoder.Body)) : "";
        return new DecodedResponse(
            final, final == DecodeResult.Malformed ? 0 : decoder.Status, body, decoder.CanReuse && response.IsEmpty, final == DecodeResult.Malformed ? decoder.Fault : "");
    }
}
