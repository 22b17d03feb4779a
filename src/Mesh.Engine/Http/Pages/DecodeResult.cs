namespace Mesh.Engine.Http.Pages;

/// <summary>What a decoder makes of the bytes so far.</summary>
internal enum DecodeResult
{
    /// <summary>The response goes on.</summary>
    More,

    /// <summary>It has ended.</summary>
    Done,

    /// <summary>Its body is larger than allowed.</summary>
    TooLarge,

    /// <summary>It makes no sense.</summary>
    Malformed,
}
