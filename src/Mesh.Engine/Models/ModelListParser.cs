using System.Collections.Immutable;
using System.Text.Json;

namespace Mesh.Engine.Models;

/// <summary>Reads the ids of <c>{"data":[{"id":…},…]}</c>: base models and adapters alike.</summary>
internal static class ModelListParser
{
    /// <summary>The ids, each once, in ordinal order; false when the text is not such a list or names more than <paramref name="maxModels"/>.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> json, int maxModels, out ImmutableArray<string> models)
    {
        models = default;
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("data", out var data)
                || data.ValueKind != JsonValueKind.Array
                || data.GetArrayLength() > maxModels)
            {
                return false;
            }

            var ids = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var model in data.EnumerateArray())
            {
                if (model.ValueKind != JsonValueKind.Object
                    || !model.TryGetProperty("id", out var id)
                    || id.ValueKind != JsonValueKind.String)
                {
                    return false;
                }

                ids.Add(id.GetString()!);
            }

            models = [.. ids];
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // A string with a lone surrogate parses but cannot be read.
            return false;
        }
    }
}
