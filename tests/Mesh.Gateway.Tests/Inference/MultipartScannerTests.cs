using System.Text;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Tests.Inference;

public sealed class MultipartScannerTests
{
    private const string Type = "multipart/form-data; boundary=XX";

    private static string Part(string disposition, string value) => $"--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n";

    private static string? Scan(string body, out BodyFacts facts, string type = Type)
    {
        MultipartScanner.TryScan(Encoding.Latin1.GetBytes(body), type, out facts, out var error);
        return error;
    }

    [Theory]
    [InlineData("name=\"model\"")]
    [InlineData("name=model")]
    [InlineData("NAME = \"model\"; x=y")]
    public void Scan_FindsTheModel_AndWhereItStands(string disposition)
    {
        var body = Part("name=\"file\"; filename=\"a.wav\"", "RIFF\r\n--X\r\n\0") + Part(disposition, "whisper") + Part("name=\"stream\"", "true") + "--XX--\r\n";
        Assert.Null(Scan(body, out var facts));
        Assert.Equal(("whisper", true, true), (facts.Model, facts.Stream, facts.IsForm));
        Assert.Equal("whisper", body.Substring(facts.ModelValue.Offset, facts.ModelValue.Length));
        Assert.Equal(1500, facts.PromptTokens);
    }

    [Fact]
    public void Scan_QuotedBoundary_IsTheSame() => Assert.Null(Scan(Part("name=model", "m") + "--XX--", out _, "Multipart/Form-Data;charset=utf-8; Boundary=\"XX\""));

    [Fact]
    public void Scan_EmptyModel_IsEmpty()
    {
        Assert.Null(Scan(Part("name=model", "") + "--XX--", out var facts));
        Assert.Equal("", facts.Model);
    }

    [Theory]
    [InlineData("name=\"mod\\el\"")]
    [InlineData("name=\"model%00\"")]
    [InlineData("name*=utf-8''model")]
    [InlineData("name=model; name=other")]
    [InlineData("name=\"model")]
    [InlineData("filename=x")]
    public void Scan_NamesThatOthersCouldReadDifferently_AreRefused(string disposition) => Assert.NotNull(Scan(Part(disposition, "m") + "--XX--", out _));

    [Fact]
    public void Scan_TwoModels_AreRefused() => Assert.Contains("twice", Scan(Part("name=model", "a") + Part("name=model", "b") + "--XX--", out _), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("--XX")]
    [InlineData("--XX\r\n")]
    [InlineData("--XXname")]
    [InlineData("preamble\r\n--XX--")]
    [InlineData("--XX\r\nContent-Disposition: form-data; name=model\r\n\r\nm")]
    [InlineData("--XX\r\n X: folded\r\n\r\nm\r\n--XX--")]
    [InlineData("--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--XX--")]
    public void Scan_BrokenForms_AreRefused(string body) => Assert.NotNull(Scan(body, out _));

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    [InlineData("multipart/form-data")]
    [InlineData("multipart/form-data; boundary=")]
    [InlineData("multipart/form-data; boundary=\"\"")]
    [InlineData("multipart/form-data; boundary=a; boundary=b")]
    [InlineData("multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789x")]
    public void Scan_NoBoundary_IsRefused(string? type) => Assert.Contains("Content-Type", Scan("--a--", out _, type!), StringComparison.Ordinal);

    [Fact]
    public void Scan_TooManyParts_AreRefused()
    {
        var body = string.Concat(Enumerable.Repeat(Part("name=x", ""), MultipartScanner.MaxParts + 1)) + "--XX--";
        Assert.Contains("more than", Scan(body, out _), StringComparison.Ordinal);
    }
}
