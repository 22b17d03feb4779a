using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Gateway.Admin.Shapes;

namespace Mesh.Gateway.Admin;

/// <summary>How the API's shapes are written: camel case, and what is not known left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StateShape))]
[JsonSerializable(typeof(PoolShape))]
[JsonSerializable(typeof(ListShape<PoolShape>))]
[JsonSerializable(typeof(ListShape<BackendShape>))]
[JsonSerializable(typeof(ListShape<EndpointShape>))]
[JsonSerializable(typeof(ListShape<RegionShape>))]
[JsonSerializable(typeof(ListShape<ClusterShape>))]
[JsonSerializable(typeof(ListShape<ObjectiveShape>))]
[JsonSerializable(typeof(ListShape<FlowShape>))]
[JsonSerializable(typeof(LeasesShape))]
[JsonSerializable(typeof(ConfigurationShape))]
[JsonSerializable(typeof(HistoryShape))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>Writes texts as they are: the answers are JSON, never parts of a page.</summary>
    public static AdminJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
