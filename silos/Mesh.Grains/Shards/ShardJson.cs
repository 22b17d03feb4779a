using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Core.Regions.Reports;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Shards;

/// <summary>Reports between shards on the wire: ten a second for each pair, so that readers of another version that pass over what they do not know matter more than size.</summary>
internal static class ShardJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        Converters = { new OptionalArrayConverterFactory() },
    };

    public static byte[] Write(RegionReport report) => JsonSerializer.SerializeToUtf8Bytes(report, Options);

    /// <summary>The report; null when it cannot be read.</summary>
    public static RegionReport? TryRead(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<RegionReport>(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
