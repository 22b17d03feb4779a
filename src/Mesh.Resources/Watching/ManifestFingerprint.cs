using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Watching;

/// <summary>What two readings are compared by.</summary>
internal static class ManifestFingerprint
{
    /// <summary>A hash of all files with their paths, and of what could not be read.</summary>
    public static string Of(ManifestSnapshot snapshot, DiagnosticBag reading)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in snapshot.Files)
        {
            Append(hash, file.Path);
            Append(hash, file.Text);
        }

        foreach (var finding in reading.Sorted()) Append(hash, finding.ToString());
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>What a result means, whatever its version: comments and the order of files do not change it.</summary>
    public static string Meaning(LoadResult result) =>
        JsonSerializer.Serialize(result.Config is { } config ? config with { Version = 0 } : MeshConfig.Empty)
        + string.Join('\n', result.Diagnostics.Select(d => d.ToString()));

    private static void Append(IncrementalHash hash, string text)
    {
        // The length keeps "ab" + "c" apart from "a" + "bc".
        hash.AppendData(BitConverter.GetBytes(text.Length));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
    }
}
