namespace Mesh.Gateway.Upstream.Http1;

/// <summary>What an answer's head says about status and connection; its headers stay in the bytes.</summary>
internal struct AnswerHead
{
    /// <summary>Status, 100–999.</summary>
    public int Status;

    /// <summary>Bytes of the head, its empty line included.</summary>
    public int Length;

    /// <summary>How the body ends.</summary>
    public BodyFraming Framing;

    /// <summary>Value of <c>Content-Length</c>; −1 without one. Also set where there is no body, as in an answer to HEAD.</summary>
    public long ContentLength;

    /// <summary>True when the server keeps the connection after this answer.</summary>
    public bool KeepsConnection;

    /// <summary>True when <c>Connection</c> names more than <c>close</c> and <c>keep-alive</c>: those headers stay on this hop too.</summary>
    public bool NamesHopHeaders;

    /// <summary>True for 1xx: the answer proper is still to come.</summary>
    public readonly bool IsInterim => Status < 200;
}

/// <summary>What became of parsing a head.</summary>
internal enum HeadStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The head is there and valid.</summary>
    Complete,

    /// <summary>The bytes are not an HTTP/1 answer, or say two things about where it ends.</summary>
    Invalid,
}
