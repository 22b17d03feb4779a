using Mesh.Gateway.ExternalMetrics;

namespace Mesh.Gateway.Tests.ExternalMetrics;

public sealed class LabelSelectorTests
{
    private static string? Value(string label) => label switch
    {
        "pool" => "llama",
        "cluster" => "west",
        "metric.labels/x" => "1",
        _ => null,
    };

    [Theory]
    [InlineData(null, true)]
    [InlineData(" ", true)]
    [InlineData("pool=llama", true)]
    [InlineData("pool==llama", true)]
    [InlineData("pool = llama , cluster=west", true)]
    [InlineData("pool=qwen", false)]
    [InlineData("pool!=qwen", true)]
    [InlineData("pool!=llama", false)]
    [InlineData("zone!=a", true)]
    [InlineData("pool in (qwen, llama)", true)]
    [InlineData("pool in (qwen)", false)]
    [InlineData("pool notin (qwen),cluster in (west,east)", true)]
    [InlineData("zone notin (a)", true)]
    [InlineData("cluster", true)]
    [InlineData("!cluster", false)]
    [InlineData("! zone", true)]
    [InlineData("metric.labels/x=1", true)]
    [InlineData("pool=", false)]
    public void Matches_AsKubernetesDoes(string? text, bool expected)
    {
        var selector = LabelSelector.Parse(text, out var mistake);
        Assert.Equal("", mistake);
        Assert.Equal(expected, selector!.Matches(Value));
    }

    [Theory]
    [InlineData("pool in llama")]
    [InlineData("pool within (a)")]
    [InlineData("pool in ()")]
    [InlineData("=llama")]
    [InlineData("pool=a b")]
    [InlineData("pool=a,,cluster=b")]
    [InlineData("!")]
    [InlineData("pool>3")]
    public void Parse_Mistake_IsTold(string text)
    {
        Assert.Null(LabelSelector.Parse(text, out var mistake));
        Assert.Contains("is no requirement", mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(3, "3")]
    [InlineData(0.25, "250m")]
    [InlineData(1.0004, "1")]
    [InlineData(12.3456, "12346m")]
    [InlineData(0.0004, "0")]
    [InlineData(1e15, "1000000000000000")]
    [InlineData(1e30, "9000000000000000000")]
    public void Quantity_IsInThousandths(double value, string text) => Assert.Equal(text, Quantity.Of(value));
}
