using System.Text.Json;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Reads the texts of APIs that compute a prompt and generate nothing.</summary>
internal static class Texts
{
    private const int MaxTexts = 4096;

    /// <summary>A text, token ids, objects with a text, or an array of any; empty with a mistake noted when it is none.</summary>
    public static List<Prompt> Read(FieldReader body, string name)
    {
        List<Prompt> prompts = [];
        if (!body.TryGet(name, out var value)) body.Fail($"{name} is missing.", name);
        else if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value[0].ValueKind != JsonValueKind.Number)
        {
            if (value.GetArrayLength() > MaxTexts) body.Fail($"{name} has more than {MaxTexts} entries.", name);
            else foreach (var item in value.EnumerateArray()) Add(body, prompts, item, name);
        }
        else Add(body, prompts, value, name);
        return prompts;
    }

    private static void Add(FieldReader body, List<Prompt> prompts, JsonElement value, string name)
    {
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("text", out var text)) value = text;
        if (value.ValueKind == JsonValueKind.String) prompts.Add(PromptReader.FromText(value.GetString()!, addBeginning: true));
        else if (PromptReader.TokenArray(value) is { Length: > 0 } tokens) prompts.Add(new Prompt(tokens, null));
        else body.Fail($"{name} must be a text, token ids, or an array of them.", name);
    }

    /// <summary>A vector of length 1 that depends on the tokens alone.</summary>
    public static float[] Vector(Prompt prompt, int dimensions)
    {
        var vector = new float[dimensions];
        var seed = BlockHasher.Whole(prompt.Tokens, BlockHasher.Seed(null, null));
        var length = 0.0;
        for (var i = 0; i < dimensions; i++)
        {
            seed = BlockHasher.Mix(seed, (ulong)i);
            vector[i] = (float)(((seed >> 40) / (double)(1 << 24)) - 0.5);
            length += vector[i] * vector[i];
        }

        var scale = (float)(1 / Math.Max(Math.Sqrt(length), 1e-9));
        for (var i = 0; i < dimensions; i++) vector[i] *= scale;
        return vector;
    }

    /// <summary>How well two texts go together, 0–1: the share of the first one's tokens that stand in the second.</summary>
    public static double Similarity(Prompt a, Prompt b)
    {
        if (a.Tokens.Length == 0) return 0;
        var known = new HashSet<int>(b.Tokens);
        return Math.Round(a.Tokens.Count(known.Contains) / (double)a.Tokens.Length, 6);
    }
}
