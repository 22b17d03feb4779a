namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>What a body gives as <c>stream_options</c>.</summary>
internal enum StreamOptionsShape
{
    /// <summary>Nothing.</summary>
    Missing,

    /// <summary><c>null</c>.</summary>
    Null,

    /// <summary>An object without members.</summary>
    Empty,

    /// <summary>An object with members.</summary>
    Filled,

    /// <summary>Something that is no object.</summary>
    Other,
}
