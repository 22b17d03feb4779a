namespace Mesh.Gateway.Inference;

/// <summary>How the relay of an answer ended.</summary>
internal enum RelayEnd
{
    /// <summary>Every byte went to the client.</summary>
    Complete,

    /// <summary>The endpoint broke off, or did not send what it announced.</summary>
    UpstreamBroken,

    /// <summary>The endpoint fell silent within its answer for longer than it may.</summary>
    UpstreamStalled,

    /// <summary>The lifetime of the request ended, for the reason that stands there.</summary>
    Ended,
}
