using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Limits;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Mesh.Gateway.Tests.Keys;

public sealed class TokenTests : IDisposable
{
    private const string Issuer = "https://issuer.example";
    private const string Audience = "mesh";

    private readonly ManualTimeProvider _time = new();
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static JwtOptions Options => new() { Issuer = Issuer, Audience = Audience, JwksFile = "jwks.json", ClockSkew = TimeSpan.FromSeconds(30) };

    private SecurityKey Rsa => new RsaSecurityKey(_rsa) { KeyId = "rsa" };

    private SecurityKey Ec => new ECDsaSecurityKey(_ec) { KeyId = "ec" };

    public void Dispose()
    {
        _rsa.Dispose();
        _ec.Dispose();
    }

    private string KeySet()
    {
        var rsa = _rsa.ExportParameters(false);
        var ec = _ec.ExportParameters(false);
        return $$$"""
            {"keys":[
              {"kty":"RSA","kid":"rsa","use":"sig","n":"{{{Base64UrlEncoder.Encode(rsa.Modulus)}}}","e":"{{{Base64UrlEncoder.Encode(rsa.Exponent)}}}"},
              {"kty":"EC","kid":"ec","crv":"P-256","x":"{{{Base64UrlEncoder.Encode(ec.Q.X)}}}","y":"{{{Base64UrlEncoder.Encode(ec.Q.Y)}}}"}]}
            """;
    }

    private TokenVerifier Verifier(JwtOptions? options = null)
    {
        var problems = new List<string>();
        var verifier = TokenVerifier.Create(options ?? Options, Encoding.UTF8.GetBytes(KeySet()), new RateTable(_time), _time, problems);
        Assert.Empty(problems);
        return verifier!;
    }

    private string Token(
        SecurityKey? key = null, string algorithm = "RS256", string issuer = Issuer, string audience = Audience, int startsIn = 0, int endsIn = 600, Dictionary<string, object>? claims = null)
    {
        var all = new Dictionary<string, object>(claims ?? []);
        all.TryAdd("sub", "alice");
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            NotBefore = _time.GetUtcNow().AddSeconds(startsIn).UtcDateTime,
            Expires = _time.GetUtcNow().AddSeconds(endsIn).UtcDateTime,
            Claims = all,
            SigningCredentials = new SigningCredentials(key ?? Rsa, algorithm),
        });
    }

    private static string Unsigned(string payload, string algorithm = "none") =>
        $"{Base64UrlEncoder.Encode($"{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}")}.{Base64UrlEncoder.Encode(payload)}.";

    [Fact]
    public void EdDsa_IsRefusedWithWhatIsAccepted()
    {
        var token = Unsigned("""{"sub":"alice","iss":"https://issuer.example","aud":"mesh","exp":99999999999}""", "EdDSA") + Base64UrlEncoder.Encode(new byte[64]);
        var verdict = Verifier().Verify(token, mayVerify: true);
        Assert.Null(verdict.Caller);
        Assert.Contains("algorithm is not accepted; RS256", verdict.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("RS512")]
    public void Verify_Rsa_IsTheSubject(string algorithm) => Assert.Equal("sub:alice", Verifier().Verify(Token(algorithm: algorithm), true).Caller?.Id);

    [Fact]
    public void Verify_EllipticCurve_IsTheSubject() => Assert.Equal("sub:alice", Verifier().Verify(Token(Ec, "ES256"), true).Caller?.Id);

    [Fact]
    public void Verify_Refusals_SayWhy()
    {
        using var strange = RSA.Create(2048);
        var verifier = Verifier();
        var good = Token();
        var cut = good.LastIndexOf('.');
        Assert.Equal("The token is of another issuer.", verifier.Verify(Token(issuer: "https://other.example"), true).Reason);
        Assert.Equal("The token is for another audience.", verifier.Verify(Token(audience: "other"), true).Reason);
        Assert.Equal("The token has expired.", verifier.Verify(Token(startsIn: -600, endsIn: -31), true).Reason);
        Assert.Equal("The token is not valid yet.", verifier.Verify(Token(startsIn: 31), true).Reason);
        Assert.Equal("The token is signed with a key that is not known.", verifier.Verify(Token(new RsaSecurityKey(strange) { KeyId = "strange" }), true).Reason);
        Assert.NotNull(verifier.Verify(Token(new RsaSecurityKey(strange) { KeyId = "rsa" }), true).Reason);
        Assert.NotNull(verifier.Verify(good[..(cut + 1)], true).Reason);
        Assert.NotNull(verifier.Verify(good[..cut] + "." + Base64UrlEncoder.Encode(new byte[256]), true).Reason);
        Assert.NotNull(verifier.Verify("eyJ.x.y", true).Reason);
        Assert.Equal("The token is too long.", verifier.Verify("eyJ" + new string('a', 9000) + "..", true).Reason);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    public void Verify_UnsignedOrWithASecret_IsRefused(string algorithm)
    {
        var payload = $$"""{"iss":"{{Issuer}}","aud":"{{Audience}}","sub":"alice","exp":{{_time.GetUtcNow().AddHours(1).ToUnixTimeSeconds()}}}""";
        Assert.Null(Verifier().Verify(Unsigned(payload, algorithm), true).Caller);
    }

    [Fact]
    public void Verify_SignedWithThePublicKeyAsASecret_IsRefused()
    {
        var secret = new SymmetricSecurityKey(_rsa.ExportSubjectPublicKeyInfo()) { KeyId = "rsa" };
        Assert.Null(Verifier().Verify(Token(secret, "HS256"), true).Caller);
    }

    [Fact]
    public void Verify_WithinTheSkew_Counts()
    {
        var verifier = Verifier();
        Assert.NotNull(verifier.Verify(Token(startsIn: -600, endsIn: -29), true).Caller);
        Assert.NotNull(verifier.Verify(Token(startsIn: 29), true).Caller);
    }

    [Fact]
    public void Verify_KnownToken_IsVerifiedOnceAndEndsOnTime()
    {
        var verifier = Verifier();
        var token = Token(endsIn: 60);
        Assert.NotNull(verifier.Verify(token, true).Caller);
        Assert.NotNull(verifier.Verify(token, mayVerify: false).Caller);
        Assert.Null(verifier.Verify(Token(endsIn: 61), mayVerify: false).Caller);
        _time.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal("The token has expired.", verifier.Verify(token, true).Reason);
        Assert.Equal(0, verifier.KnownCount);
    }

    [Fact]
    public void Verify_Claims_SayWhatTheTokenMay()
    {
        var options = Options;
        options.Defaults = new KeyEntry { Models = ["default-*"], RequestsPerMinute = 5 };
        var verifier = Verifier(options);
        var plain = verifier.Verify(Token(), true).Caller!;
        Assert.Equal((KeyRoles.Inference, true, 5), (plain.Roles, plain.Models.Matches("default-1"), plain.Rates!.Requests!.PerMinute));
        var caller = verifier.Verify(
            Token(claims: new() { ["mesh_roles"] = "reader operator", ["mesh_models"] = new[] { "a", "b" }, ["mesh_requests_per_minute"] = 7, ["mesh_tokens_per_minute"] = 900, ["mesh_max_priority"] = 2, ["mesh_fairness_id"] = "f" }),
            true).Caller!;
        Assert.Equal(KeyRoles.Reader | KeyRoles.Operator, caller.Roles);
        Assert.Equal((true, false), (caller.Models.Matches("b"), caller.Models.Matches("default-1")));
        Assert.Equal((7, 900, 2, "f"), (caller.Rates!.Requests!.PerMinute, caller.Rates.Tokens!.PerMinute, caller.MaxPriority, caller.FairnessId));
        Assert.Null(verifier.Verify(Token(claims: new() { ["mesh_roles"] = "root" }), true).Caller);
        Assert.Null(verifier.Verify(Token(claims: new() { ["mesh_models"] = 5 }), true).Caller);
        Assert.Null(verifier.Verify(Token(claims: new() { ["sub"] = "" }), true).Caller);
    }

    [Theory]
    [InlineData("{", "is no JSON web key set")]
    [InlineData("""{"keys":[]}""", "has no public key")]
    [InlineData("""{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}""", "has no public key")]
    [InlineData("""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}""", "has no public key")]
    public void Create_KeySetOfNoUse_IsTold(string keySet, string expected)
    {
        var problems = new List<string>();
        Assert.Null(TokenVerifier.Create(Options, Encoding.UTF8.GetBytes(keySet), new RateTable(_time), _time, problems));
        Assert.Contains(expected, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_ThroughTheGateway_AndAfterAChangeOfKeys()
    {
        using var directory = new TempFolder();
        var path = directory.Write("jwks.json", KeySet());
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Keys.KeyStore");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Keys.Jwt = new JwtOptions { Issuer = Issuer, Audience = Audience, JwksFile = path }, loggers);
        var now = TimeProvider.System.GetUtcNow();
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer, Audience = Audience, Expires = now.AddHours(1).UtcDateTime, Claims = new Dictionary<string, object> { ["sub"] = "alice" }, SigningCredentials = new SigningCredentials(Rsa, "RS256"),
        });
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, token));
        using var next = RSA.Create(2048);
        var other = next.ExportParameters(false);
        directory.Write("jwks.json", JsonSerializer.Serialize(new { keys = new[] { new { kty = "RSA", kid = "next", n = Base64UrlEncoder.Encode(other.Modulus), e = Base64UrlEncoder.Encode(other.Exponent) } } }));
        await Eventually.TrueAsync(() => !loggers.Lines.IsEmpty, "the new keys are taken", 20_000);
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(gateway, token));
    }

    [Fact]
    public async Task Token_WithoutAudience_StopsTheStart()
    {
        using var directory = new TempFolder();
        var path = directory.Write("jwks.json", KeySet());
        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(
            () => TestGateway.StartAsync(Configs.For(Configs.Dead()), o => o.Keys.Jwt = new JwtOptions { Issuer = Issuer, JwksFile = path }));
        Assert.StartsWith("Mesh:Keys:Jwt:Audience is required", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> PostAsync(TestGateway gateway, string token)
    {
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi"}""", edit: r => r.Headers.TryAddWithoutValidation("Authorization", $"bearer {token}"));
        return response.StatusCode;
    }
}
