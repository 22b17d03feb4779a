using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.StoredResponses;

/// <summary>
/// Ids of stored responses. vLLM keeps a response in the memory of the process that made it, under the id that the request gives as
/// <c>request_id</c>. The gateway gives one that names the endpoint: any gateway of the mesh finds the response again, also after a restart,
/// without a table that fills or ages. Then follow random digits, so that nobody guesses it, and the model that the client named, so that a key which may not use it gets no such
/// response. Nobody can put another model there: the server knows the response by the whole id.
/// </summary>
internal static class ResponseIds
{
    private const string Prefix = "resp_";
    private const int TagChars = 16;
    private const int RandomBytes = 12;
    private const int MaxModelBytes = 256;
    private const int ModelAt = 5 + TagChars + (2 * RandomBytes) + 1;

    /// <summary>The part of an id that stands for an endpoint.</summary>
    public static ulong TagOf(EndpointId endpoint) => StableHash.Of(endpoint.Address);

    /// <summary>The edit of a body that gives its response an id at an endpoint: the name, the value and a comma.</summary>
    /// <param name="endpoint">Where the response will be kept.</param>
    /// <param name="model">Model that the client named.</param>
    public static byte[] NewField(EndpointId endpoint, string model)
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        var id = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{TagOf(endpoint):x16}{Convert.ToHexStringLower(random)}");
        var name = Encoding.UTF8.GetBytes(model);
        // A longer one names nothing that a key could allow by name.
        if (name.Length <= MaxModelBytes) id = $"{id}_{Base64Url.EncodeToString(name)}";
        return Encoding.ASCII.GetBytes($"\"request_id\":\"{id}\",");
    }

    /// <summary>The endpoint's part of an id; false when the id is none that a gateway made.</summary>
    public static bool TryReadTag(ReadOnlySpan<char> id, out ulong tag)
    {
        tag = 0;
        return (id.Length == ModelAt - 1 || (id.Length > ModelAt && id[ModelAt - 1] == '_')) && id.StartsWith(Prefix, StringComparison.Ordinal)
            && ulong.TryParse(id.Slice(Prefix.Length, TagChars), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out tag);
    }

    /// <summary>The model of an id that a gateway made; null where it names none.</summary>
    public static string? ModelOf(ReadOnlySpan<char> id)
    {
        if (id.Length <= ModelAt) return null;
        Span<byte> name = stackalloc byte[MaxModelBytes];
        return Base64Url.IsValid(id[ModelAt..]) && Base64Url.TryDecodeFromChars(id[ModelAt..], name, out var bytes) ? Encoding.UTF8.GetString(name[..bytes]) : null;
    }
}
