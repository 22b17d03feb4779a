namespace Mesh.Resources.Diagnostics;

/// <summary>How grave a diagnostic is.</summary>
public enum Severity
{
    /// <summary>The configuration is refused.</summary>
    Error,

    /// <summary>The configuration is taken, but something in it is not what it seems.</summary>
    Warning,

    /// <summary>Something worth knowing, for example an object that the mesh does not read.</summary>
    Info,
}
