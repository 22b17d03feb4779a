using System.Net;
using System.Text;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Limits;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Keys;

public sealed class KeyPartsTests
{
    [Theory]
    [InlineData("llama-*", "llama-3", true)]
    [InlineData("llama-*", "Llama-3", false)]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("?", "", false)]
    [InlineData("a*b*c", "aXbYbZc", true)]
    [InlineData("a*b*c", "aXbYbZ", false)]
    [InlineData("*a?", "aab", true)]
    [InlineData("a**", "a", true)]
    public void Globs_Match(string pattern, string name, bool expected) => Assert.Equal(expected, Globs.Of([pattern]).Matches(name));

    [Fact]
    public void Globs_NullIsAnyAndNoneIsNone()
    {
        Assert.True(Globs.Of(null).Matches("x"));
        Assert.False(Globs.Of([]).Matches("x"));
    }

    [Fact]
    public void Globs_ManyStars_StaysCheap()
    {
        var pattern = string.Concat(Enumerable.Repeat("a*", 100)) + "b";
        Assert.False(Globs.Of([pattern]).Matches(new string('a', 200)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:00")]
    [InlineData("sha256::e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("md5:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:zzb0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void Hash_OfAnotherForm_IsNone(string? text) => Assert.False(KeyHash.TryParse(text, out _));

    [Fact]
    public void Hash_Unsalted_IsTheKnownOne()
    {
        Span<byte> hash = stackalloc byte[32];
        KeyHash.Compute(default, "abc", hash);
        Assert.True(KeyHash.TryParse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", out var known));
        Assert.True(known!.IsEqual(hash));
        Assert.False(known.IsSalted);
    }

    [Fact]
    public void Table_FindsSaltedAndUnsaltedKeysAndNothingElse()
    {
        var salted = KeyHash.NewKey("team-a");
        const string Plain = "sk-0123456789abcdef0123456789";
        var problems = new List<string>();
        var table = KeyTable.Compile(
            [("a", new KeyEntry { Id = "team-a", Hash = KeyHash.Of("team-a", salted).ToString() }), ("b", new KeyEntry { Id = "team-b", Hash = KeyHash.Of("team-b", Plain).ToString() })],
            new RateTable(new ManualTimeProvider()), problems);
        Assert.Empty(problems);
        Assert.Equal("team-a", table.Find(salted)?.Id);
        Assert.Equal("team-b", table.Find(Plain)?.Id);
        foreach (var wrong in new[] { "", salted[..^1], salted + "x", Plain[1..], "mesh_team-a_", "mesh_team-b_" + Plain, "mesh__", new string('x', 513), "naïve-key-0123456789012", "a b" })
        {
            Assert.Null(table.Find(wrong));
        }
    }

    [Fact]
    public void Table_LookUps_TakeLittleMemory()
    {
        var salted = KeyHash.NewKey("team-a");
        var table = KeyTable.Compile([("a", new KeyEntry { Id = "team-a", Hash = KeyHash.Of("team-a", salted).ToString() })], new RateTable(new ManualTimeProvider()), []);
        var wrong = salted + "x";
        Assert.NotNull(table.Find(salted));
        Assert.Null(table.Find(wrong));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            table.Find(salted);
            table.Find(wrong);
        }

        // Three hashes in each turn, at 64 bytes of the platform's own.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 256);
    }

    [Fact]
    public void Table_EveryMistakeIsToldAtOnce()
    {
        var hash = KeyHash.Of("x", "sk-0123456789abcdef0123456789").ToString();
        var problems = new List<string>();
        KeyTable.Compile(
            [
                ("k[0]", new KeyEntry { Id = "a_b", Hash = hash }),
                ("k[1]", new KeyEntry { Id = "a", Hash = "plain" }),
                ("k[2]", new KeyEntry { Id = "b", Hash = hash, RequestsPerMinute = 0, TokensPerMinute = -1, Roles = ["admin"], Models = [""], FairnessId = "" }),
                ("k[3]", new KeyEntry { Id = "b", Hash = hash }),
            ],
            new RateTable(new ManualTimeProvider()), problems);
        Assert.Equal(
            [
                "k[0]: id must have 1–64 letters, digits, points and hyphens.",
                "k[1]: hash must be sha256:HASH or sha256:SALT:HASH in hexadecimal digits; mesh keys new makes one.",
                "k[2]: requestsPerMinute is 0; it must be in 1–100000000.",
                "k[2]: tokensPerMinute is -1; it must be in 1–2000000000.",
                "k[2]: fairnessId must have 1–256 characters.",
                "k[2]: roles has 'admin'; roles are inference, reader and operator.",
                "k[2]: a pattern of models must have 1–256 characters.",
                "k[3]: k[2] has the same id b.",
                "k[3]: another entry has the same hash.",
            ],
            problems);
    }

    [Theory]
    [InlineData("[]", "keys.json: line 1:")]
    [InlineData("{}", "keys.json: expected an object with the list `keys`.")]
    [InlineData("{\"keys\":[null]}", "keys.json: keys[0] is null.")]
    [InlineData("{\"keys\":[\n{\"id\":\"a\",\"key\":\"SECRET\"}]}", "keys.json: line 2:")]
    [InlineData("{\"keys\":[\n\n{\"id\":\"a\",\"hash\":\"SECRET", "keys.json: line 3:")]
    public void File_Broken_SaysWhereAndQuotesNothing(string text, string expected)
    {
        var problems = new List<string>();
        KeyFile.Read("keys.json", Encoding.UTF8.GetBytes(text), problems);
        var problem = Assert.Single(problems);
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void File_AllFields_AreRead()
    {
        var problems = new List<string>();
        var read = KeyFile.Read("f", """
            // The team's keys.
            {"keys":[{"id":"a","hash":"h","roles":["reader"],"models":["m"],"requestsPerMinute":1,"tokensPerMinute":2,"objectives":["o"],"maxPriority":-3,"fairnessId":"f","notAfter":"2030-01-02T03:04:05Z"},]}
            """u8, problems);
        Assert.Empty(problems);
        var entry = Assert.Single(read).Entry;
        Assert.Equal(("a", "h", 1, 2, -3, "f"), (entry.Id, entry.Hash, entry.RequestsPerMinute, entry.TokensPerMinute, entry.MaxPriority, entry.FairnessId));
        Assert.Equal(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero), entry.NotAfter);
        Assert.Equal(["reader"], entry.Roles!);
        Assert.Equal(["m"], entry.Models!);
        Assert.Equal(["o"], entry.Objectives!);
    }

    [Fact]
    public void Failures_PastTheLimit_UntilTheMinuteIsOver()
    {
        var time = new ManualTimeProvider();
        var failures = new FailedAttempts(3, time);
        var address = IPAddress.Parse("10.0.0.1");
        Assert.False(failures.Count(address));
        Assert.False(failures.Count(address));
        Assert.False(failures.IsPast(address, out _));
        Assert.True(failures.Count(address));
        Assert.False(failures.Count(address));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(failures.IsPast(address, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(40), wait);
        Assert.False(failures.IsPast(IPAddress.Parse("10.0.0.2"), out _));
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.False(failures.IsPast(address, out _));
    }
}
