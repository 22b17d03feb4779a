namespace Mesh.Resources.Reading;

/// <summary>One document of a file.</summary>
/// <param name="File">Path relative to the manifest directory.</param>
/// <param name="Index">Index in the file, from 1; documents without content are not counted.</param>
/// <param name="Root">Its root node.</param>
internal sealed record YamlDocument(string File, int Index, YamlNode Root);
