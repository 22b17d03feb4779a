namespace Mesh.Gateway.Keys;

/// <summary>What a key opens.</summary>
[Flags]
internal enum KeyRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The inference APIs and the list of models.</summary>
    Inference = 1,

    /// <summary>What tells of the inside and changes nothing: metrics, decisions.</summary>
    Reader = 2,

    /// <summary>What changes the state of the mesh.</summary>
    Operator = 4,
}
