using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Tests.Reading;

public sealed class ReadingTests
{
    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("500ms", 500)]
    [InlineData("1h2m3s4ms", 3_723_004)]
    [InlineData("0s", 0)]
    public void Duration_OfGatewayApi_IsRead(string text, int milliseconds)
    {
        Assert.True(GatewayDuration.TryParse(text, out var value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("1d")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("100000s")]
    [InlineData("1s1s1s1s1s")]
    [InlineData("1s ")]
    public void Duration_OfAnotherForm_IsRefused(string text) => Assert.False(GatewayDuration.TryParse(text, out _));

    [Theory]
    [InlineData("capacityScalarPercent", "capacityScalerPercent")]
    [InlineData("timeoutsec", "timeoutSec")]
    [InlineData("selectro", "selector")]
    [InlineData("entirely", null)]
    public void NearestName_OfAMisspeltField_IsFound(string name, string? expected) =>
        Assert.Equal(expected, NearestName.Of(name, ["capacityScalerPercent", "selector", "timeoutSec"]));

    [Fact]
    public void Distance_SwapOfNeighbours_CountsOnce()
    {
        Assert.Equal(1, NearestName.Distance("ab", "ba"));
        Assert.Equal(0, NearestName.Distance("", ""));
        Assert.Equal(3, NearestName.Distance("", "abc"));
    }

    [Fact]
    public void Split_MarkersCommentsAndEmptyParts_GivesPartsWithContentAndTheirLines()
    {
        var parts = DocumentSplitter.Split("# head\n---\na: 1\n---\n# nothing\n---\nb: |\n  ---\n--- # c\nc: 3\n...\n").ToList();
        Assert.Equal([1, 5, 8], parts.Select(p => p.LinesBefore));
        Assert.Equal("    # c\nc: 3\n...\n", parts[2].Text);
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("2001:DB8::0001", "[2001:db8::1]")]
    [InlineData("127.1", null)]
    [InlineData("010.0.0.1", null)]
    [InlineData("host", null)]
    public void IpText_Normalize_GivesTheCanonicalForm(string text, string? expected) => Assert.Equal(expected, IpText.Normalize(text));

    [Theory]
    [InlineData("1", true, 1)]
    [InlineData("-5", true, -5)]
    [InlineData("1e3", true, 1000)]
    [InlineData("40.0", true, 40)]
    [InlineData("0x10", true, 16)]
    [InlineData("1.5", false, 0)]
    [InlineData("one", false, 0)]
    [InlineData("", false, 0)]
    public void ScalarText_TryInteger_TakesWholeNumbersOnly(string text, bool isWhole, long expected)
    {
        Assert.Equal(isWhole, ScalarText.TryInteger(text, out var value));
        if (isWhole) Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("1", 1, "1 byte")]
    [InlineData("1000", 1000, "1000 bytes")]
    [InlineData("512Mi", 512L << 20, "512 MiB")]
    [InlineData("1.5Gi", 3L << 29, "1536 MiB")]
    [InlineData("64k", 64_000, "64000 bytes")]
    [InlineData("1e9", 1_000_000_000, "1000000000 bytes")]
    [InlineData("1E", 1_000_000_000_000_000_000, "976562500000000 KiB")]
    [InlineData("0.1", 1, "1 byte")]
    [InlineData("0", 0, "0 bytes")]
    [InlineData("9e99", long.MaxValue, null)]
    [InlineData("8Ei", long.MaxValue, null)]
    public void ByteQuantity_OfKubernetes_IsReadAndWritten(string text, long bytes, string? shown)
    {
        Assert.True(ByteQuantity.TryParse(text, out var value));
        Assert.Equal(bytes, value);
        if (shown is not null) Assert.Equal(shown, ByteQuantity.Text(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("100m")]
    [InlineData("5 Mi")]
    [InlineData("-1")]
    [InlineData("Mi")]
    [InlineData("1MiB")]
    [InlineData("1KI")]
    [InlineData("1e-3")]
    [InlineData("1234567890123456789")]
    public void ByteQuantity_OfAnotherForm_IsRefused(string text) => Assert.False(ByteQuantity.TryParse(text, out _));

    [Fact]
    public void YamlReader_AliasesThatMultiply_AreRefused()
    {
        var report = new Diagnostics.DiagnosticBag();
        var bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 8).Select(i =>
            $"{(char)('a' + i)}: &{(char)('a' + i)} [{string.Join(", ", Enumerable.Repeat("*" + (char)('a' + i - 1), 10))}]\n"));
        Assert.Empty(YamlReader.Read("f.yaml", bomb, report));
        Assert.Contains("more than", Assert.Single(report.Sorted()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void YamlReader_NestingWithoutEnd_IsRefused()
    {
        var report = new Diagnostics.DiagnosticBag();
        Assert.Empty(YamlReader.Read("f.yaml", new string('[', 500), report));
        Assert.Equal("yaml-syntax", Assert.Single(report.Sorted()).Code);
    }
}
