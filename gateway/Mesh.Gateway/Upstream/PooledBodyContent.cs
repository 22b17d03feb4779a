using System.Net;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Upstream;

/// <summary>Sends a pooled body. Holds a reference while it writes: the handler may still be writing when the call has already been given up.</summary>
internal sealed class PooledBodyContent(PooledBody body) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => WriteAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        WriteAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }

    private async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (!body.TryRetain()) throw new OperationCanceledException("The request has ended.");
        try
        {
            await stream.WriteAsync(body.Memory, cancellationToken);
        }
        finally
        {
            body.Release();
        }
    }
}
