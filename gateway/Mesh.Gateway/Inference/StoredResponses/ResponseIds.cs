using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.StoredResponses;

/// <summary>
/// Ids of stored responses. vLLM keeps a response in the memory of the process that made it, under the id that the request gives as
/// <c>request_id</c>. The gateway gives one that names the endpoint: any gateway of the mesh finds the response again, also after a restart,
/// without a table that fills or ages. The rest of the id is random, so that nobody guesses it.
/// </summary>
internal static class ResponseIds
{
    private const string Prefix = "resp_";
    private const int TagChars = 16;
    private const int RandomBytes = 12;

    /// <summary>The part of an id that stands for an endpoint.</summary>
    public static ulong TagOf(EndpointId endpoint) => StableHash.Of(endpoint.Address);

    /// <summary>The edit of a body that gives its response an id at an endpoint: the name, the value and a comma.</summary>
    public static byte[] NewField(EndpointId endpoint)
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        var id = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{TagOf(endpoint):x16}{Convert.ToHexStringLower(random)}");
        return Encoding.ASCII.GetBytes($"\"request_id\":\"{id}\",");
    }

    /// <summary>The endpoint's part of an id; false when the id is none that a gateway made.</summary>
    public static bool TryReadTag(ReadOnlySpan<char> id, out ulong tag)
    {
        tag = 0;
        return id.Length == Prefix.Length + TagChars + (2 * RandomBytes) && id.StartsWith(Prefix, StringComparison.Ordinal)
            && ulong.TryParse(id.Slice(Prefix.Length, TagChars), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out tag);
    }
}
