using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>Asks for the usage of a stream whose client did not, so that it can be counted; the extra chunk is kept from the client.</summary>
internal static class UsageRequest
{
    private static readonly byte[] Whole = "\"stream_options\":{\"include_usage\":true},"u8.ToArray();
    private static readonly byte[] Options = "{\"include_usage\":true}"u8.ToArray();
    private static readonly byte[] Only = "\"include_usage\":true"u8.ToArray();
    private static readonly byte[] First = "\"include_usage\":true,"u8.ToArray();
    private static readonly byte[] Yes = "true"u8.ToArray();

    /// <summary>The edit that asks; null where the client asked itself, or where its options are none that a server takes.</summary>
    public static BodyEdit? For(InferenceApi api, in BodyFacts facts)
    {
        if (!api.HasUsageOption || !facts.Stream || facts.IncludeUsage || facts.ContinuousUsage) return null;
        if (!facts.IncludeUsageValue.IsEmpty) return new BodyEdit(facts.IncludeUsageValue, Yes);
        return facts.StreamOptions switch
        {
            StreamOptionsShape.Missing => new BodyEdit(new ByteRange(facts.RootOffset + 1, 0), Whole),
            StreamOptionsShape.Null => new BodyEdit(facts.StreamOptionsValue, Options),
            StreamOptionsShape.Empty => new BodyEdit(new ByteRange(facts.StreamOptionsValue.Offset + 1, 0), Only),
            StreamOptionsShape.Filled => new BodyEdit(new ByteRange(facts.StreamOptionsValue.Offset + 1, 0), First),
            // The server will say what is wrong with it.
            _ => null,
        };
    }
}
