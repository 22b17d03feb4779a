using System.Security.Cryptography;
using System.Text;

namespace Mesh.Gateway.Keys;

/// <summary>
/// How a key is kept: <c>sha256:HASH</c> or <c>sha256:SALT:HASH</c>, in hexadecimal digits; the hash is that of salt and key together. A key
/// with a salt must be of the form <c>mesh_ID_SECRET</c>, whose id says which salt to try, so that a look-up costs one hash however many keys there are.
/// </summary>
internal sealed class KeyHash
{
    /// <summary>Longest key in characters.</summary>
    public const int MaxChars = 512;

    /// <summary>Shortest key that may be hashed, in characters: guessing 20 characters at random is out of reach.</summary>
    public const int MinChars = 20;

    /// <summary>Longest id in characters.</summary>
    public const int MaxIdChars = 64;

    private const string Algorithm = "sha256";
    private const string Prefix = "mesh_";
    private const int SaltBytes = 16;
    private const int MaxSaltBytes = 64;
    private const int SecretBytes = 32;

    private readonly byte[] _hash;

    private KeyHash(byte[] salt, byte[] hash)
    {
        Salt = salt;
        _hash = hash;
    }

    /// <summary>Salt, 0–64 bytes.</summary>
    public ReadOnlyMemory<byte> Salt { get; }

    /// <summary>True when the key is looked up by the id in it.</summary>
    public bool IsSalted => Salt.Length > 0;

    /// <summary>The hash, 32 bytes.</summary>
    public ReadOnlySpan<byte> Hash => _hash;

    /// <summary>Reads an entry; false when it is of another form.</summary>
    public static bool TryParse(string? text, out KeyHash? hash)
    {
        hash = null;
        var parts = text?.Split(':') ?? [];
        if (parts.Length is not (2 or 3) || !parts[0].Equals(Algorithm, StringComparison.OrdinalIgnoreCase)) return false;
        try
        {
            var salt = parts.Length == 3 ? Convert.FromHexString(parts[1]) : [];
            var digest = Convert.FromHexString(parts[^1]);
            if (digest.Length != SHA256.HashSizeInBytes || salt.Length > MaxSaltBytes || (parts.Length == 3 && salt.Length == 0)) return false;
            hash = new KeyHash(salt, digest);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Hashes a key: with a salt where the key names the id, without one otherwise.</summary>
    public static KeyHash Of(string id, string key)
    {
        byte[] salt = IdOf(key).SequenceEqual(id) ? RandomNumberGenerator.GetBytes(SaltBytes) : [];
        var hash = new byte[SHA256.HashSizeInBytes];
        Compute(salt, key, hash);
        return new KeyHash(salt, hash);
    }

    /// <summary>A new key with 256 random bits.</summary>
    public static string NewKey(string id) =>
        Prefix + id + "_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes)).TrimEnd('=').Replace('+', '-').Replace('/', '~');

    /// <summary>True for 1–64 letters, digits, points and hyphens.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= MaxIdChars } && !id.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    /// <summary>True for what can be a key: at most 512 printable ASCII characters without blanks.</summary>
    public static bool IsKey(ReadOnlySpan<char> key) => key.Length is > 0 and <= MaxChars && !key.ContainsAnyExceptInRange('!', '~');

    /// <summary>The id that a key of the form <c>mesh_ID_SECRET</c> names; empty for others.</summary>
    public static ReadOnlySpan<char> IdOf(ReadOnlySpan<char> key)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal)) return default;
        var rest = key[Prefix.Length..];
        var end = rest.IndexOf('_');
        return end is > 0 and <= MaxIdChars ? rest[..end] : default;
    }

    /// <summary>Hashes salt and key. The key is at most 512 ASCII characters.</summary>
    public static void Compute(ReadOnlySpan<byte> salt, ReadOnlySpan<char> key, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[MaxSaltBytes + MaxChars];
        salt.CopyTo(bytes);
        var length = salt.Length + Encoding.ASCII.GetBytes(key, bytes[salt.Length..]);
        SHA256.HashData(bytes[..length], hash);
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>True when the hashes are the same, in a time that does not tell where they differ.</summary>
    public bool IsEqual(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(_hash, hash);

    /// <summary>The entry's text.</summary>
    public override string ToString()
    {
        var hash = Convert.ToHexStringLower(_hash);
        return IsSalted ? $"{Algorithm}:{Convert.ToHexStringLower(Salt.Span)}:{hash}" : $"{Algorithm}:{hash}";
    }
}
