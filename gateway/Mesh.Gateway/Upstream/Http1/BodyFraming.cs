namespace Mesh.Gateway.Upstream.Http1;

/// <summary>How the end of an answer's body is found.</summary>
internal enum BodyFraming
{
    /// <summary>There is no body.</summary>
    None,

    /// <summary><c>Content-Length</c> says how long it is.</summary>
    Length,

    /// <summary>Chunks, the last one empty.</summary>
    Chunked,

    /// <summary>The connection's end is the body's end.</summary>
    Close,
}
