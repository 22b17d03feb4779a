using System.Globalization;
using System.Security.Cryptography;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>Ids of responses: the client's own request id, else 32 hex digits that no other server gives. Thread-safe.</summary>
internal sealed class RequestIds
{
    public const string Header = "X-Request-Id";

    private const int MaxClientIdLength = 256;

    private readonly ulong _server = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
    private long _count;

    public string Next(string prefix, string? clientId)
    {
        if (!string.IsNullOrEmpty(clientId) && clientId.Length <= MaxClientIdLength) return prefix + clientId;
        var count = (ulong)Interlocked.Increment(ref _count);
        return string.Create(CultureInfo.InvariantCulture, $"{prefix}{BlockHasher.Mix(_server, count):x16}{_server ^ count:x16}");
    }
}
