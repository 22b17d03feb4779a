namespace Mesh.Silo;

/// <summary>What a process does.</summary>
internal enum SiloRole
{
    /// <summary>Hosts grains and serves requests: the hop between the two stays in the process wherever a grain is here.</summary>
    Both,

    /// <summary>Hosts grains.</summary>
    Silo,

    /// <summary>Serves requests.</summary>
    Gateway,
}
