using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Mesh.Gateway.Limits;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Mesh.Gateway.Keys;

/// <summary>
/// Verifies signed tokens against the issuer's public keys: RSA and elliptic curves alone, so that neither an unsigned token nor one signed with a
/// public key as a secret ever counts. A token that was verified is known by its hash until it ends or the keys change. Immutable but for that.
/// </summary>
internal sealed class TokenVerifier
{
    /// <summary>Longest token in characters.</summary>
    public const int MaxChars = 8192;

    /// <summary>Largest key set in bytes.</summary>
    public const int MaxKeySetBytes = 1 << 20;

    private const int MaxKnown = 4096;

    private const string UnknownAlgorithm = "The token's algorithm is not accepted; RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and ES512 are.";

    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxChars };
    private readonly ConcurrentDictionary<Digest, Known> _known = new();
    private readonly TokenValidationParameters _parameters;
    private readonly JwtOptions _options;
    private readonly RateTable _rates;
    private readonly TimeProvider _time;

    private TokenVerifier(JwtOptions options, IList<SecurityKey> keys, RateTable rates, TimeProvider time)
    {
        _options = options;
        _rates = rates;
        _time = time;
        _parameters = new TokenValidationParameters
        {
            ValidIssuer = options.Issuer,
            ValidAudience = options.Audience,
            IssuerSigningKeys = keys,
            ValidAlgorithms = Algorithms,
            RequireSignedTokens = true,
            // The clock is ours to ask.
            ValidateLifetime = false,
            TryAllIssuerSigningKeys = true,
            LogValidationExceptions = false,
            IncludeTokenOnFailedValidation = false,
        };
    }

    /// <summary>Tokens that are known, for tests.</summary>
    public int KnownCount => _known.Count;

    /// <summary>Reads a key set; null, and problems, when it is of no use.</summary>
    /// <param name="options">Options.</param>
    /// <param name="keySet">JSON web key set.</param>
    /// <param name="rates">What the callers have used so far.</param>
    /// <param name="time">Clock.</param>
    /// <param name="problems">Gets what is wrong.</param>
    public static TokenVerifier? Create(JwtOptions options, byte[] keySet, RateTable rates, TimeProvider time, List<string> problems)
    {
        var before = problems.Count;
        if (string.IsNullOrEmpty(options.Issuer)) problems.Add("Mesh:Keys:Jwt:Issuer is required where tokens count as keys.");
        if (string.IsNullOrEmpty(options.Audience)) problems.Add("Mesh:Keys:Jwt:Audience is required where tokens count as keys: without it a token for another service would do.");
        // Only to find mistakes: what tokens use is kept by their subjects.
        new KeyEntries(new RateTable(time), problems).CallerFor(options.Defaults, "", "Mesh:Keys:Jwt:Defaults");
        var keys = new List<SecurityKey>();
        try
        {
            foreach (var key in new JsonWebKeySet(Encoding.UTF8.GetString(keySet)).Keys)
            {
                // A secret in a key set would make everyone who reads it an issuer.
                if (key.Kty is "RSA" or "EC" && key.Use is null or "" or "sig") keys.Add(key);
            }

            if (keys.Count == 0) problems.Add($"{options.JwksFile} has no public key for signatures of type RSA or EC; other types are not supported: neither secrets (oct) nor Ed25519 (OKP, EdDSA), which .NET does not verify. Sign by RS, PS or ES with 256, 384 or 512 bits.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or System.Text.Json.JsonException)
        {
            problems.Add($"{options.JwksFile} is no JSON web key set.");
        }

        return problems.Count == before ? new TokenVerifier(options, keys, rates, time) : null;
    }

    /// <summary>True for what looks like a signed token: three parts, the first a JSON object.</summary>
    public static bool IsToken(ReadOnlySpan<char> text) => text.StartsWith("eyJ", StringComparison.Ordinal) && text.Count('.') == 2;

    /// <summary>The caller that a token stands for, or why it does not count.</summary>
    /// <param name="token">Token.</param>
    /// <param name="mayVerify">False when no signature is to be verified: only tokens that are known count then.</param>
    public TokenVerdict Verify(string token, bool mayVerify)
    {
        if (token.Length > MaxChars) return TokenVerdict.Wrong("The token is too long.");
        var digest = Digest.Of(token);
        var now = _time.GetUtcNow();
        if (_known.TryGetValue(digest, out var known))
        {
            if (now < known.Ends) return new TokenVerdict(known.Caller, null);
            _known.TryRemove(digest, out _);
            return TokenVerdict.Wrong("The token has expired.");
        }

        if (!mayVerify) return TokenVerdict.Wrong("Too many wrong keys came from this address.");
        // With the keys at hand nothing is waited for.
        var validated = _handler.ValidateTokenAsync(token, _parameters).GetAwaiter().GetResult();
        if (!validated.IsValid) return TokenVerdict.Wrong(Reason(validated.Exception, token));
        var jwt = (JsonWebToken)validated.SecurityToken;
        if (!jwt.TryGetPayloadValue<long>("exp", out _)) return TokenVerdict.Wrong("The token has no end (exp).");
        var ends = new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero) + _options.ClockSkew;
        if (now >= ends) return TokenVerdict.Wrong("The token has expired.");
        if (jwt.TryGetPayloadValue<long>("nbf", out _) && now < new DateTimeOffset(jwt.ValidFrom, TimeSpan.Zero) - _options.ClockSkew) return TokenVerdict.Wrong("The token is not valid yet.");
        if (string.IsNullOrEmpty(jwt.Subject) || jwt.Subject.Length > 256) return TokenVerdict.Wrong("The token has no subject (sub) of 1–256 characters.");
        if (TokenClaims.CallerFor(jwt, _options.Defaults, _rates) is not { } caller) return TokenVerdict.Wrong("A claim of the token (mesh_…) has a wrong type or value.");
        if (_known.Count >= MaxKnown) _known.Clear();
        _known[digest] = new Known(caller, ends);
        return new TokenVerdict(caller, null);
    }

    private static string Reason(Exception? e, string token) => e switch
    {
        SecurityTokenInvalidIssuerException => "The token is of another issuer.",
        SecurityTokenInvalidAudienceException => "The token is for another audience.",
        SecurityTokenInvalidAlgorithmException => UnknownAlgorithm,
        // No key fits an algorithm that is none of these.
        not null when IsOfUnknownAlgorithm(token) => UnknownAlgorithm,
        SecurityTokenSignatureKeyNotFoundException => "The token is signed with a key that is not known.",
        SecurityTokenInvalidSignatureException => "The token's signature is wrong.",
        _ => "The token is malformed.",
    };

    private static bool IsOfUnknownAlgorithm(string token)
    {
        try
        {
            return !Algorithms.Contains(new JsonWebToken(token).Alg);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private sealed record Known(Caller Caller, DateTimeOffset Ends);

    private readonly record struct Digest(UInt128 High, UInt128 Low)
    {
        public static Digest Of(string token)
        {
            Span<byte> bytes = stackalloc byte[1024];
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            if (token.Length * 3 <= bytes.Length) SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
            else SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
            return new Digest(
                System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash), System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash[16..]));
        }
    }
}

/// <summary>A caller, or why the token does not count.</summary>
/// <param name="Caller">Caller; null when it does not count.</param>
/// <param name="Reason">Why not; one sentence that tells nothing of the token.</param>
internal readonly record struct TokenVerdict(Caller? Caller, string? Reason)
{
    public static TokenVerdict Wrong(string reason) => new(null, reason);
}
