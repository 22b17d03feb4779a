namespace Mesh.Resources.Types;

/// <summary>The API group of the mesh's own kinds. The domain is reserved for private use.</summary>
internal static class MeshGroup
{
    public const string Version = "mesh.internal/v1alpha1";
}
