using Mesh.Core.Config;
using Mesh.Core.HttpRouting;

namespace Mesh.Core.Tests.HttpRouting;

public sealed class PathEditsTests
{
    [Theory]
    [InlineData("/foo/bar", "/foo", "/xyz", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo", "/xyz/", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo/", "/xyz", "/xyz/bar")]
    [InlineData("/foo", "/foo", "/xyz", "/xyz")]
    [InlineData("/foo/", "/foo", "/xyz", "/xyz")]
    [InlineData("/foo/bar", "/foo", "", "/bar")]
    [InlineData("/foo", "/foo", "", "/")]
    [InlineData("/foo/bar", "/foo", "/", "/bar")]
    [InlineData("/v1/completions", "/", "/openai", "/openai/v1/completions")]
    [InlineData("/team/a", "/team", "/x y?#", "/x%20y%3F%23/a")]
    public void Apply_Prefix_ReplacesWholeElements(string path, string prefix, string value, string expected) =>
        Assert.Equal(expected, PathEdits.Apply(new PathEdit(PathEditType.ReplacePrefixMatch, value), path, prefix));

    [Theory]
    [InlineData("/all", "/all")]
    [InlineData("all", "/all")]
    [InlineData("/ü", "/%C3%BC")]
    public void Apply_FullPath_ReplacesEverything(string value, string expected) =>
        Assert.Equal(expected, PathEdits.Apply(new PathEdit(PathEditType.ReplaceFullPath, value), "/v1/completions", "/v1"));
}
