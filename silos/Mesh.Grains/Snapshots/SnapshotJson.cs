using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Grains.Snapshots;

/// <summary>
/// States of pools and explained decisions on the wire: for people and for choosing by what was last known, so they are written as JSON, whose
/// readers pass over what they do not know. Times of the sender's clock mean nothing to the reader; ages stand beside them.
/// </summary>
internal static class SnapshotJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        Converters = { new OptionalArrayConverterFactory() },
    };

    public static byte[] Write(PoolSnapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, Options);

    public static byte[] Write(ExplainedDecision decision) => JsonSerializer.SerializeToUtf8Bytes(decision, Options);

    /// <exception cref="JsonException">It cannot be read.</exception>
    public static PoolSnapshot ReadPool(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<PoolSnapshot>(json, Options) ?? throw new JsonException("No snapshot.");

    /// <exception cref="JsonException">It cannot be read.</exception>
    public static ExplainedDecision ReadDecision(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<ExplainedDecision>(json, Options) ?? throw new JsonException("No decision.");
}
