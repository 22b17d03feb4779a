using System.Text.Json;
using Mesh.Cli.Tests.Support;
using Mesh.Gateway.Keys;

namespace Mesh.Cli.Tests.Commands;

public sealed class KeysCommandTests
{
    [Fact]
    public async Task New_PrintsTheKeyAndAnEntryThatFitsIt()
    {
        var run = await ToolRun.OfAsync("keys", "new", "--id", "team-a");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Output.Split('\n');
        var key = lines[0]["key    ".Length..];
        Assert.Matches(@"\Amesh_team-a_[A-Za-z0-9~-]{43}\z", key);
        using var entry = JsonDocument.Parse(lines[1]["entry  ".Length..]);
        Assert.Equal("team-a", entry.RootElement.GetProperty("id").GetString());
        Assert.Equal(["inference"], entry.RootElement.GetProperty("roles").EnumerateArray().Select(r => r.GetString()));
        AssertFits(entry.RootElement.GetProperty("hash").GetString()!, key, isSalted: true);
        Assert.DoesNotContain(key, lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task New_Twice_MakesTwoKeys()
    {
        var first = (await ToolRun.OfAsync("keys", "new", "--id", "a", "-o", "json")).Json.GetProperty("key").GetString();
        Assert.NotEqual(first, (await ToolRun.OfAsync("keys", "new", "--id", "a", "-o", "json")).Json.GetProperty("key").GetString());
    }

    [Fact]
    public async Task New_WithRoles_HasThem()
    {
        var entry = (await ToolRun.OfAsync("keys", "new", "--id", "night", "--role", "reader", "--role", "operator", "-o", "json")).Json.GetProperty("entry");
        Assert.Equal(["reader", "operator"], entry.GetProperty("roles").EnumerateArray().Select(r => r.GetString()));
    }

    [Fact]
    public async Task Hash_KeyFromElsewhere_PrintsTheEntryAndNeverTheKey()
    {
        const string Key = "sk-0123456789abcdef0123456789";
        var run = await ToolRun.ReadingAsync(Key + "\n", "keys", "hash", "--id", "old", "-o", "json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.DoesNotContain(Key, run.Output, StringComparison.Ordinal);
        AssertFits(run.Json.GetProperty("entry").GetProperty("hash").GetString()!, Key, isSalted: false);
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("a key with blanks in it, which no header carries")]
    public async Task Hash_NoKey_SaysWhatIsExpected(string input)
    {
        var run = await ToolRun.ReadingAsync(input, "keys", "hash", "--id", "old");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal(
            "error: Standard input has no key of 20–512 printable ASCII characters without blanks\nnext: make one: mesh keys new --id NAME\n", run.Error);
    }

    [Fact]
    public async Task New_IdThatIsNone_IsAUsageError()
    {
        var run = await ToolRun.OfAsync("keys", "new", "--id", "team_a");
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("error: Option --id must have 1–64 letters, digits, points and hyphens.", run.Error, StringComparison.Ordinal);
    }

    private static void AssertFits(string text, string key, bool isSalted)
    {
        Assert.True(KeyHash.TryParse(text, out var hash));
        Assert.Equal(isSalted, hash!.IsSalted);
        Span<byte> digest = stackalloc byte[32];
        KeyHash.Compute(hash.Salt.Span, key, digest);
        Assert.True(hash.IsEqual(digest));
    }
}
