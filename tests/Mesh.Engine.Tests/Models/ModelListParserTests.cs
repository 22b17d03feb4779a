using System.Text;
using Mesh.Engine.Models;

namespace Mesh.Engine.Tests.Models;

public sealed class ModelListParserTests
{
    [Fact]
    public void TryParse_BaseModelAndAdapters_GivesEachIdOnceInOrder()
    {
        const string Json = """{"object":"list","data":[{"id":"meta/llama","root":"x"},{"id":"food-review-1","parent":"meta/llama"},{"id":"food-review-1"}]}""";

        Assert.True(ModelListParser.TryParse(Encoding.UTF8.GetBytes(Json), 3, out var models));
        Assert.Equal("food-review-1 meta/llama", string.Join(' ', models));
        Assert.True(ModelListParser.TryParse("""{"data":[]}"""u8.ToArray(), 3, out var none));
        Assert.Empty(none);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"data":{}}""")]
    [InlineData("""{"data":[{"id":1}]}""")]
    [InlineData("""{"data":["a"]}""")]
    [InlineData("""{"data":[{"id":"\ud800"}]}""")]
    [InlineData("""{"data":[{"id":"a"},{"id":"b"},{"id":"c"}]}""")]
    [InlineData("""{"data":[{"id":"a"}""")]
    public void TryParse_NoListOrTooLong_IsRefused(string json)
    {
        Assert.False(ModelListParser.TryParse(Encoding.UTF8.GetBytes(json), 2, out var models));
        Assert.True(models.IsDefault);
    }
}
