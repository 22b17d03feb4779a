using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Scenarios;

/// <summary>Scenarios as JSON: the records' own members in camel case; an unknown member is an error.</summary>
public static class ScenarioReader
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
        ReadCommentHandling = JsonCommentHandling.Skip,
        IgnoreReadOnlyProperties = true,
    };

    /// <exception cref="JsonException">The text is no scenario.</exception>
    public static Scenario Parse(string json) =>
        JsonSerializer.Deserialize<Scenario>(json, Options) ?? throw new JsonException("The text is 'null'.");

    public static Scenario Read(string path) => Parse(File.ReadAllText(path));

    public static string Write(Scenario scenario) => JsonSerializer.Serialize(scenario, Options);
}
