using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mesh.Engine.Federation;
using Mesh.Resources.Reading;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>The manifests of the config cluster as regions hand them to each other and keep them on disk. Immutable.</summary>
/// <param name="Tag">Which they are.</param>
/// <param name="Files">The files, ordered by name.</param>
internal sealed record ConfigBundle(ConfigTag Tag, ImmutableArray<ManifestText> Files)
{
    /// <summary>Largest bundle in bytes, as JSON.</summary>
    public const int MaxBytes = 16 << 20;

    private const int MaxFiles = 4096;

    /// <summary>A bundle of files as they are now.</summary>
    public static ConfigBundle Of(string cluster, string origin, long version, ImmutableArray<ManifestText> files)
    {
        ImmutableArray<ManifestText> ordered = [.. files.OrderBy(f => f.Name, StringComparer.Ordinal)];
        return new ConfigBundle(new ConfigTag(cluster, origin, version, HashOf(cluster, origin, ordered)), ordered);
    }

    /// <summary>As JSON.</summary>
    public byte[] ToJson()
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("cluster"u8, Tag.Cluster);
            json.WriteString("origin"u8, Tag.Origin);
            json.WriteNumber("version"u8, Tag.Version);
            json.WriteString("hash"u8, Tag.Hash);
            json.WriteStartArray("files"u8);
            foreach (var file in Files)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, file.Name);
                json.WriteString("text"u8, file.Text);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>From JSON. Its hash is checked, so that half a file or a forged one is not taken.</summary>
    /// <exception cref="InvalidDataException">It is not a whole bundle; the message says why.</exception>
    public static ConfigBundle FromJson(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            var cluster = Text(root, "cluster");
            var origin = Text(root, "origin");
            var files = ImmutableArray.CreateBuilder<ManifestText>();
            foreach (var file in root.GetProperty("files").EnumerateArray())
            {
                if (files.Count == MaxFiles) throw new InvalidDataException($"It has more than {MaxFiles} files.");
                var name = Text(file, "name");
                if (name.AsSpan().ContainsAny('/', '\\') || name is [] or ['.', ..]) throw new InvalidDataException($"'{name}' is no name of a file.");
                files.Add(new ManifestText(cluster, name, Text(file, "text")));
            }

            var bundle = Of(cluster, origin, root.GetProperty("version").GetInt64(), files.DrainToImmutable());
            if (bundle.Tag.Hash != Text(root, "hash")) throw new InvalidDataException("Its contents do not have the hash that it gives.");
            if (cluster.Length == 0 || bundle.Files.IsEmpty) throw new InvalidDataException("It has no manifests.");
            return bundle;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"It is not of the form: {e.Message}", e);
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new InvalidDataException($"`{name}` is null.");

    private static string HashOf(string cluster, string origin, ImmutableArray<ManifestText> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, cluster);
        Append(hash, origin);
        foreach (var file in files)
        {
            Append(hash, file.Name);
            Append(hash, file.Text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    private static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        // The length keeps "ab" + "c" apart from "a" + "bc".
        hash.AppendData(BitConverter.GetBytes(bytes.Length));
        hash.AppendData(bytes);
    }
}
