using System.Security.Cryptography;

namespace Mesh.Gateway.Inference;

/// <summary>Keeps a client's <c>X-Request-Id</c> or makes one: a part that is random per process, and a number.</summary>
internal sealed class RequestIds
{
    /// <summary>Name of the header.</summary>
    public const string Header = "X-Request-Id";

    private const int MaxChars = 128;

    private readonly string _prefix = $"req-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}-";
    private long _last;

    /// <summary>The client's id when it is printable and of bearable length; else a new one.</summary>
    public string KeepOrMake(HttpRequest request)
    {
        if (request.Headers.TryGetValue(Header, out var values) && values is [{ } given] && IsUsable(given)) return given;
        return string.Create(null, stackalloc char[64], $"{_prefix}{Interlocked.Increment(ref _last):x}");
    }

    private static bool IsUsable(string id) => id.Length is > 0 and <= MaxChars && !id.AsSpan().ContainsAnyExceptInRange('!', '~');
}
