namespace Mesh.Zmtp.MessagePack;

/// <summary>The kind of the value that comes next.</summary>
internal enum MessagePackToken
{
    /// <summary>No more bytes.</summary>
    End,
    Nil,
    Boolean,

    /// <summary>Any integer, of either sign and any width.</summary>
    Integer,

    /// <summary>A float of 32 or 64 bits.</summary>
    Float,
    String,
    Binary,
    Array,
    Map,
    Extension,

    /// <summary>The byte C1, which the format never uses.</summary>
    Invalid,
}

/// <summary>Why a read failed. The reader stays where it was.</summary>
internal enum MessagePackError
{
    None,

    /// <summary>The value reaches beyond the last byte, or a container announces more elements than bytes are left.</summary>
    Truncated,

    /// <summary>Another kind of value stands here.</summary>
    WrongType,

    /// <summary>An integer that the type asked for cannot hold.</summary>
    OutOfRange,

    /// <summary>The byte C1.</summary>
    InvalidByte,

    /// <summary>Containers within containers beyond the bound.</summary>
    TooDeep,
}
