namespace Mesh.Resources.Types;

/// <summary>A policy with one target of its own namespace.</summary>
internal interface IPolicy
{
    /// <summary>Identity of the policy.</summary>
    ResourceHeader Header { get; }

    /// <summary>What it is attached to; null when that could not be read.</summary>
    LocalRef? Target { get; }
}
