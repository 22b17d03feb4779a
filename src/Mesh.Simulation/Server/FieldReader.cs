using System.Text.Json;

namespace Mesh.Simulation.Server;

/// <summary>Reads typed fields of a JSON object and keeps the first mistake, so that reading code stays a straight line.</summary>
internal sealed class FieldReader(JsonElement root)
{
    public ApiError? Error { get; private set; }

    public JsonElement Root => root;

    public void Fail(string message, string? param = null) => Error ??= ApiError.BadRequest(message, param);

    /// <summary>The field, unless it is missing or null.</summary>
    public bool TryGet(string name, out JsonElement value) =>
        root.TryGetProperty(name, out value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public string? Text(string name)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        Fail($"{name} must be a string.", name);
        return null;
    }

    public bool Flag(string name, bool otherwise = false)
    {
        if (!TryGet(name, out var value)) return otherwise;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        Fail($"{name} must be true or false.", name);
        return otherwise;
    }

    public long? Integer(string name, long least, long most)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most) return number;
        Fail($"{name} must be an integer from {least} to {most}, got {value.GetRawText()}.", name);
        return null;
    }

    public double Number(string name, double otherwise, double least, double most)
    {
        if (!TryGet(name, out var value)) return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most) return number;
        Fail($"{name} must be a number from {least} to {most}, got {value.GetRawText()}.", name);
        return otherwise;
    }

    /// <summary>A string or an array of strings; empty when missing.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!TryGet(name, out var value)) return [];
        if (value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(v => v.GetString()!)];
        }

        Fail($"{name} must be a string or an array of strings.", name);
        return [];
    }
}
