using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Gateway.Keys;

/// <summary>The file of keys: <c>{"keys":[{"id":…,"hash":…},…]}</c>; comments and trailing commas are allowed, unknown fields are mistakes.</summary>
internal sealed record KeyFile
{
    /// <summary>Largest file in bytes.</summary>
    public const int MaxBytes = 16 << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        PropertyNameCaseInsensitive = false,
    };

    /// <summary>The keys.</summary>
    public KeyEntry?[]? Keys { get; init; }

    /// <summary>Reads the entries, each with where it stands; mistakes are added to the list.</summary>
    public static IReadOnlyList<(string Where, KeyEntry Entry)> Read(string path, ReadOnlySpan<byte> text, List<string> problems)
    {
        var entries = new List<(string, KeyEntry)>();
        try
        {
            if (text.StartsWith("\uFEFF"u8)) text = text[3..];
            var file = JsonSerializer.Deserialize<KeyFile>(text, Json);
            if (file?.Keys is not { } keys)
            {
                problems.Add($"{path}: expected an object with the list `keys`.");
                return entries;
            }

            for (var i = 0; i < keys.Length; i++)
            {
                if (keys[i] is { } entry) entries.Add(($"{path}: keys[{i}]{(entry.Id is { Length: <= KeyHash.MaxIdChars } id ? $" ({id})" : "")}", entry));
                else problems.Add($"{path}: keys[{i}] is null.");
            }
        }
        catch (JsonException e)
        {
            // The parser's message may quote what stands there, and that may be a key written by mistake.
            problems.Add($"{path}: line {e.LineNumber + 1}: not the JSON that is expected at {e.Path ?? "$"}; README.md beside the code says what is.");
        }

        return entries;
    }
}
