namespace Mesh.Gateway.Upstream;

/// <summary>An answer whose head has arrived. One reader. Disposing it before its end aborts the request at the endpoint.</summary>
internal interface IUpstreamResponse : IAsyncDisposable
{
    /// <summary>HTTP status.</summary>
    int StatusCode { get; }

    /// <summary>Content type; null without one.</summary>
    string? ContentType { get; }

    /// <summary>
    /// Sets the headers that are relayed (<see cref="HeaderRules.IsRelayed"/>), unchanged, <c>Content-Length</c> among them. Comes before the
    /// first <see cref="ReadAsync"/>: the head's bytes lie where the body is received.
    /// </summary>
    /// <returns>Value of <see cref="Mesh.Engine.Scraping.Orca.OrcaHeader.Name"/>, which is not set; null without one.</returns>
    string? CopyHeadersTo(IHeaderDictionary headers);

    /// <summary>
    /// The next bytes of the body as they arrived; they stay valid until the next call. Empty without a failure means the end. Completes
    /// synchronously when bytes are already there.
    /// </summary>
    ValueTask<UpstreamChunk> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>Some bytes of a body, its end, or what broke it.</summary>
/// <param name="Bytes">Bytes; empty at the end and on failure.</param>
/// <param name="Failure">What broke it.</param>
/// <param name="Detail">For logs; null without a failure.</param>
internal readonly record struct UpstreamChunk(ReadOnlyMemory<byte> Bytes, UpstreamFailure Failure = UpstreamFailure.None, string? Detail = null)
{
    /// <summary>True when no more comes and nothing broke.</summary>
    public bool IsEnd => Bytes.IsEmpty && Failure == UpstreamFailure.None;
}
