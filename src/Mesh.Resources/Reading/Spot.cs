namespace Mesh.Resources.Reading;

/// <summary>A place in the manifests.</summary>
/// <param name="File">Path relative to the manifest directory.</param>
/// <param name="Document">Index of the document, from 1; 0 for none.</param>
/// <param name="Path">Path of the field.</param>
/// <param name="Line">Line from 1; 0 for none.</param>
/// <param name="Column">Column from 1; 0 for none.</param>
internal readonly record struct Spot(string File, int Document, string Path, int Line, int Column)
{
    /// <summary>A place that is a whole file or directory.</summary>
    public static Spot OfFile(string file) => new(file, 0, "", 0, 0);

    /// <summary><c>file:line</c>, as messages name a second place.</summary>
    public override string ToString() => Line > 0 ? $"{File}:{Line}" : File;
}

/// <summary>A value and the place where it was written.</summary>
internal sealed record Located<T>(T Value, Spot At);
