using Mesh.Core.Endpoints;
using Mesh.Engine.Http;

namespace Mesh.Engine.Tests.Http;

public sealed class EndpointUriTests
{
    [Theory]
    [InlineData("10.0.0.1:8000", null, "/metrics", "http://10.0.0.1:8000/metrics")]
    [InlineData("10.0.0.1:8000", 9400, "metrics", "http://10.0.0.1:9400/metrics")]
    [InlineData("[fd00::1]:8000", null, "/health?a=b", "http://[fd00::1]:8000/health?a=b")]
    public void Create_Endpoint_GivesItsPage(string id, int? port, string path, string expected)
    {
        Assert.Equal(expected, EndpointUri.Create(new EndpointId(id), "http", port, path).ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("10.0.0.1")]
    [InlineData(":80")]
    [InlineData("10.0.0.1:0")]
    [InlineData("10.0.0.1:99999")]
    [InlineData("a b:80")]
    public void Create_NoAddress_Throws(string? id)
    {
        Assert.Throws<FormatException>(() => EndpointUri.Create(new EndpointId(id!), "http", null, "/"));
    }
}
